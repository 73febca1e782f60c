// The errors and warnings of the compiler, in their lines of the editor.

import { RangeSet, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, GutterMarker, gutter } from "@codemirror/view";

export interface Finding {
  /** From 1; 0: not known. */
  line: number;
  severity: "error" | "warning";
  text: string;
}

class Marker extends GutterMarker {
  constructor(private finding: Finding) {
    super();
  }

  override toDOM() {
    const mark = document.createElement("span");
    mark.className = `mark-${this.finding.severity}`;
    mark.title = this.finding.text;
    mark.textContent = this.finding.severity === "error" ? "✕" : "!";
    return mark;
  }
}

interface Shown {
  underlined: DecorationSet;
  markers: RangeSet<GutterMarker>;
}

/** Shows these findings instead of those before. */
export const setFindings = StateEffect.define<Finding[]>();

export const findings = StateField.define<Shown>({
  create: () => ({ underlined: Decoration.none, markers: RangeSet.empty }),
  update({ underlined, markers }, { effects, changes, state }) {
    for (const effect of effects) if (effect.is(setFindings)) return place(effect.value, state.doc);
    return { underlined: underlined.map(changes), markers: markers.map(changes) };
  },
  provide: (field) => [
    EditorView.decorations.from(field, ({ underlined }) => underlined),
    gutter({ class: "marks", markers: (view) => view.state.field(field).markers }),
  ],
});

/** A line of the document; the nearest one if there is no such line. */
export function lineOf(doc: Text, line: number) {
  return doc.line(Math.min(Math.max(line, 1), doc.lines));
}

function place(all: Finding[], doc: Text): Shown {
  const underlined = all.flatMap(({ line, severity, text }) => {
    const { from, to, text: words } = lineOf(doc, line);
    const start = from + (words.length - words.trimStart().length);
    return start < to ? [Decoration.mark({ class: `found-${severity}`, attributes: { title: text } }).range(start, to)] : [];
  });
  // One for each line, an error rather than a warning.
  const worst = new Map<number, Finding>();
  for (const finding of all) {
    const { from } = lineOf(doc, finding.line);
    if (worst.get(from)?.severity !== "error") worst.set(from, finding);
  }
  const markers = [...worst].map(([from, finding]) => new Marker(finding).range(from));
  return { underlined: Decoration.set(underlined, true), markers: RangeSet.of(markers, true) };
}
