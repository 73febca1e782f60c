// Tab and Shift-Tab: two spaces more or less before each line of the selection.

import type { ChangeSpec, Line } from "@codemirror/state";
import type { Command, EditorView } from "@codemirror/view";

const STEP = "  ";

/** Changes each line that the selection touches. */
function change(view: EditorView, of: (line: Line) => ChangeSpec): boolean {
  const { state } = view;
  const { from, to } = state.selection.main;
  const changes: ChangeSpec[] = [];
  for (let at = state.doc.lineAt(from).number; at <= state.doc.lineAt(to).number; at++) changes.push(of(state.doc.line(at)));
  view.dispatch({ changes, userEvent: "input.indent" });
  return true;
}

export const indent: Command = (view) => change(view, ({ from }) => ({ from, insert: STEP }));

export const unindent: Command = (view) =>
  change(view, ({ from, text }) => ({ from, to: from + Math.min(STEP.length, text.length - text.trimStart().length) }));
