# The fleet's service as an image: the program, the libraries that it is linked with, and nothing else.
#
# `make fleet-image` builds the program and then this image.  By hand, the build context is a folder with
# image/usr/local/bin/tollgate-fleet in it and, each at its own path below image/, the loader and the
# libraries that `ldd` lists.
#
# There is no stage that builds the program, so no image with a compiler is needed, and the program is the one
# that was tested.
FROM scratch
COPY image /
USER 65534:65534
EXPOSE 7070
ENTRYPOINT ["/usr/local/bin/tollgate-fleet"]
