//! The point questions: a trace by id, the newest matching traces, without planning SQL.
