import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, type SQLNamespace, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type RefObject, useEffect, useEffectEvent, useRef } from 'react';
import type { SqlSchema } from '@/api/sql';
import { completionSource } from './completion';

const LOOK = EditorView.theme({
  '&': { height: '100%', fontSize: '0.8125rem', color: 'var(--text)', backgroundColor: 'var(--surface)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': {
    fontFamily: 'var(--font-mono, "Geist Mono", ui-monospace, monospace)',
    lineHeight: '1.25rem',
  },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.5rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in oklab, var(--accent) 30%, transparent)',
  },
  '.cm-placeholder': { color: 'var(--faint)' },
  '.cm-stumbled': { textDecoration: 'underline wavy var(--error)', backgroundColor: 'var(--error-soft)' },
  '.cm-tooltip': {
    border: '1px solid var(--line-strong)',
    borderRadius: '0.5rem',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    boxShadow: 'var(--shadow)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--font-mono, "Geist Mono", ui-monospace, monospace)',
    maxHeight: '16rem',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.125rem 0.5rem', lineHeight: '1.25rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--selected)',
    color: 'var(--text)',
  },
  '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal', marginLeft: '0.75rem' },
  '.cm-completionMatchedText': { color: 'var(--accent)', textDecoration: 'none' },
  '.cm-tooltip.cm-completionInfo': {
    padding: '0.375rem 0.625rem',
    maxWidth: '22rem',
    whiteSpace: 'pre-wrap',
    overflow: 'auto',
    maxHeight: '16rem',
  },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.typeName, color: 'var(--info)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--faint)', fontStyle: 'italic' },
]);

const setStumble = StateEffect.define<number | null>();
const STUMBLED = Decoration.mark({ class: 'cm-stumbled' });

/** Where the server's parser stumbled, until the text changes. */
const stumble = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, { docChanged, effects, state }) {
    let next = docChanged ? Decoration.none : marks;
    for (const effect of effects) {
      if (!effect.is(setStumble)) continue;
      const at = effect.value;
      const word = at === null ? null : /^\S+/.exec(state.sliceDoc(at));
      next =
        at === null || word === null
          ? Decoration.none
          : Decoration.set(STUMBLED.range(at, at + word[0].length));
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** A field for a statement in SQL, with completion from the schema. Ctrl Enter runs it. */
export function SqlEditor(props: {
  text: string;
  onChange: (text: string) => void;
  onRun: () => void;
  schema: SqlSchema | undefined;
  /** Where it is wrong. */
  wrongAt: number | null;
  /** Is given what puts text where the cursor is. */
  insert: RefObject<((text: string) => void) | null>;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const language = useRef(new Compartment());
  const { text, schema, wrongAt, insert } = props;
  const changed = useEffectEvent((text: string) => props.onChange(text));
  const run = useEffectEvent(() => props.onRun());
  const initial = useEffectEvent(() => ({ text, schema }));
  useEffect(() => {
    const element = host.current!;
    // Within a shadow root its styles need no style element, which the Content-Security-Policy forbids.
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const { text, schema } = initial();
    const runAndTell = () => {
      run();
      return true;
    };
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.highest(keymap.of([{ key: 'Mod-Enter', run: runAndTell }])),
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          autocompletion({ icons: false }),
          stumble,
          LOOK,
          syntaxHighlighting(COLOURS),
          placeholder('SELECT …'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Statement in SQL' }),
          language.current.of(languageFor(schema)),
          // Tab takes what is offered; else it leads on to the next field, as everywhere.
          keymap.of([
            { key: 'Tab', run: acceptCompletion },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    insert.current = (text) => {
      const { from } = editor.state.selection.main;
      const before = editor.state.sliceDoc(from - 1, from);
      // A name stands apart from other words.
      const blank = /[\w"'$)]/.test(before) ? ' ' : '';
      editor.dispatch(editor.state.replaceSelection(`${blank}${text}`));
      editor.focus();
    };
    return () => {
      view.current = null;
      insert.current = null;
      editor.destroy();
    };
  }, [insert]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    view.current?.dispatch({ effects: language.current.reconfigure(languageFor(schema)) });
  }, [schema]);
  useEffect(() => {
    view.current?.dispatch({ effects: setStumble.of(wrongAt) });
  }, [wrongAt]);
  return <div ref={host} className="h-full min-h-0" />;
}

function languageFor(schema: SqlSchema | undefined): Extension {
  if (schema === undefined) return sql({ dialect: PostgreSQL, upperCaseKeywords: true });
  const tables: SQLNamespace = Object.fromEntries(
    schema.tables.map(({ name, description, columns }) => [
      name,
      {
        self: { label: name, type: 'type', detail: 'table', info: description },
        children: columns.map(({ name, type, description }) => ({
          label: name,
          type: 'property',
          detail: type,
          info: description,
        })),
      },
    ]),
  );
  const support = sql({ dialect: PostgreSQL, schema: tables, upperCaseKeywords: true });
  return [support, PostgreSQL.language.data.of({ autocomplete: completionSource(schema) })];
}
