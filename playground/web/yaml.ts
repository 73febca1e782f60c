// The colours of YAML. A grammar would be ten times as large, and the compiler is what judges the text.

import { Decoration, type DecorationSet, type EditorView, MatchDecorator, ViewPlugin } from "@codemirror/view";

/** A comment, a name before its colon, or a quoted text. */
const TOKENS = new RegExp(
  [
    /(?<comment>(?<=^|\s)#.*)/,
    /(?<name>(?<=^[\s-]{0,40}|[{,]\s{0,9})(?:"[^"]*"|'[^']*'|[^\s"'#{}[\],:-][^"'#{}[\],:]{0,100})(?=\s{0,9}:(?:\s|$)))/,
    /(?<text>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/,
  ].map((one) => one.source).join("|"),
  "g",
);

const MARKS = {
  comment: Decoration.mark({ class: "yaml-comment" }),
  name: Decoration.mark({ class: "yaml-name" }),
  text: Decoration.mark({ class: "yaml-text" }),
};

const matches = new MatchDecorator({
  regexp: TOKENS,
  decoration: ({ groups }) => (groups?.["comment"] ? MARKS.comment : groups?.["name"] ? MARKS.name : MARKS.text),
});

class Colours {
  decorations: DecorationSet;

  constructor(view: EditorView) {
    this.decorations = matches.createDeco(view);
  }

  update(update: Parameters<typeof matches.updateDeco>[0]) {
    this.decorations = matches.updateDeco(update, this.decorations);
  }
}

export const colours = ViewPlugin.fromClass(Colours, { decorations: ({ decorations }) => decorations });
