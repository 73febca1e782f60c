// The editor: YAML, and the compiler's own errors and warnings in their lines.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--name)" },
  { tag: [tags.string, tags.content], color: "var(--text)" },
  { tag: tags.comment, color: "var(--faint)" },
]);

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
          lineNumbers(), history(), drawSelection(), highlightActiveLine(), lintGutter(), indentUnit.of("  "),
          // Tab indents; Escape and then Tab leaves the editor.
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          yaml(), syntaxHighlighting(colours), update,
          EditorView.contentAttributes.of({ "aria-label": "Policy, in YAML", spellcheck: "false" }),
        ],
      }),
    });
  }

  set text(text: string) {
    this.#quiet = true;
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
    this.#quiet = false;
  }

  show(findings: { line: number; severity: "error" | "warning"; text: string }[]) {
    const doc = this.#view.state.doc;
    const diagnostics = findings.map(({ line, severity, text }): Diagnostic => {
      const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
      return { from: at.from + (/^\s*/.exec(at.text)?.[0].length ?? 0), to: at.to, severity, message: text };
    });
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  go(line: number) {
    const at = this.#view.state.doc.line(Math.min(Math.max(line, 1), this.#view.state.doc.lines));
    this.#view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
    this.#view.focus();
  }
}
