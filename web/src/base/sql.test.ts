import { expect, it } from 'vitest';
import { parametersOf, placeOfError, tablesOf } from './sql';

it('finds parameters that are not in quotes or comments', () => {
  const sql = `SELECT '$a', "$b", $service -- $c
    /* $d */ FROM spans WHERE x = $service AND y > $least_ns AND z = '' AND q = $1`;
  expect(parametersOf(sql)).toEqual(['service', 'least_ns']);
  expect(parametersOf("SELECT 'not closed $a")).toEqual([]);
});

it('finds the tables that are read', () => {
  expect(
    tablesOf("select * FROM Spans s JOIN\n glasshouse.columns c -- from x\n where a = 'from y'"),
  ).toEqual(['spans', 'glasshouse.columns']);
  expect(tablesOf("SELECT 1 FROM process_spans('x')")).toEqual(['process_spans']);
});

it('finds where a parser stumbled', () => {
  const sql = 'SELECT 1\nFROM WHERE';
  const place = placeOfError(
    sql,
    'sql parser error: Expected: identifier, found: WHERE at Line: 2, Column: 6',
  );
  expect(sql.slice(place!)).toBe('WHERE');
  expect(placeOfError(sql, 'no such column')).toBeNull();
  expect(placeOfError(sql, 'at Line: 9, Column: 1')).toBeNull();
});
