// The editor: YAML, and the compiler's own errors and warnings in their lines.

import {
  cursorDocEnd, cursorDocStart, history, historyKeymap, insertNewlineKeepIndent, selectAll,
  selectDocEnd, selectDocStart,
} from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, type KeyBinding, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { type Finding, findings, lineOf, setFindings } from "./findings";
import { indent, unindent } from "./indent";
import { colours } from "./yaml";

/**
 * What the browser's own editing lacks. The library's whole keymap asks for the syntax of the language, and would bring
 * a parser with it (20 KB).
 */
const KEYS: KeyBinding[] = [
  { key: "Enter", run: insertNewlineKeepIndent },
  // Escape and then Tab leaves the editor.
  { key: "Tab", run: indent, shift: unindent },
  { key: "Mod-a", run: selectAll },
  // The browser knows only the lines that are drawn.
  { key: "Mod-Home", mac: "Cmd-ArrowUp", run: cursorDocStart, shift: selectDocStart },
  { key: "Mod-End", mac: "Cmd-ArrowDown", run: cursorDocEnd, shift: selectDocEnd },
];

export class Editor {
  #view: EditorView;
  #quiet = false;

  constructor(parent: HTMLElement, text: string, changed: (text: string) => void) {
    const update = EditorView.updateListener.of((update) => {
      if (update.docChanged && !this.#quiet) changed(update.state.doc.toString());
    });
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          findings, lineNumbers(), history(), drawSelection(), highlightActiveLine(), colours,
          keymap.of([...KEYS, ...historyKeymap]), update,
          EditorView.contentAttributes.of({
            "aria-label": "Policy, in YAML. Tab indents; Escape, then Tab leaves the editor.", spellcheck: "false",
          }),
        ],
      }),
    });
  }

  set text(text: string) {
    this.#quiet = true;
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
    this.#quiet = false;
  }

  show(all: Finding[]) {
    this.#view.dispatch({ effects: setFindings.of(all) });
  }

  go(line: number) {
    this.#view.dispatch({ selection: { anchor: lineOf(this.#view.state.doc, line).from }, scrollIntoView: true });
    this.#view.focus();
  }
}
