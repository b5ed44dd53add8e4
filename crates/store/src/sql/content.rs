//! Statements whose text depends on the question: lists of content, and several rows by id.

use valetkey_domain::{ContentId, Id, TokenId};

use super::Value;
use super::rows::stored_limit;
use super::statements::content_columns;
use crate::ContentQuery;

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    pub sql: String,
    pub values: Vec<Value>,
    /// The rows come in reverse list order, and the engine must reverse them.
    pub reversed: bool,
}

/// The most ids that [`by_ids`] and [`uses`] take at once.
pub const IDS_LIMIT: usize = 100;

impl Built {
    fn push(&mut self, text: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push_str(text);
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
    }

    fn one_of(&mut self, values: impl Iterator<Item = Value>) {
        self.sql.push_str(" IN ");
        let mut lead = "(";
        for value in values {
            self.push(lead, value);
            lead = ", ";
        }
        self.sql.push(')');
    }
}

/// The rows that a query wants.
pub fn list(query: &ContentQuery) -> Built {
    let mut built = filtered(concat!("SELECT ", content_columns!(), " FROM contents"), query);
    // "Behind" is greater when the list ascends, less when it descends.
    let (behind, ahead) = if query.ascending { (">", "<") } else { ("<", ">") };
    for (place, sign) in [(query.after, behind), (query.before, ahead)] {
        if let Some((sort_at, id)) = place {
            built.push(&format!(" AND (sort_at, id) {sign} ("), sort_at);
            built.push(", ", id);
            built.sql.push(')');
        }
    }
    // The rows nearest to `before` are found from that end.
    built.reversed = query.before.is_some();
    let direction = if query.ascending == built.reversed { "DESC" } else { "ASC" };
    built.sql.push_str(&format!(" ORDER BY sort_at {direction}, id {direction}"));
    built.push(" LIMIT ", stored_limit(query.limit));
    built
}

/// How many rows a query gives if place and limit are ignored: one row, one column.
pub fn count(query: &ContentQuery) -> Built {
    filtered("SELECT COUNT(*) FROM contents", query)
}

fn filtered(select: &str, query: &ContentQuery) -> Built {
    let mut built = Built { sql: select.to_owned(), values: Vec::new(), reversed: false };
    built.push(" WHERE parent_id = ", query.parent);
    built.push(" AND kind = ", i64::from(query.kind));
    if !query.statuses.is_empty() {
        built.sql.push_str(" AND status");
        built.one_of(query.statuses.iter().map(|s| Value::from(s.as_str())));
    }
    if let Some(since) = query.since {
        built.push(" AND sort_at >= ", since);
    }
    if let Some(until) = query.until {
        built.push(" AND sort_at < ", until);
    }
    built
}

/// Content by ids: one to [`IDS_LIMIT`] of them.
pub fn by_ids(ids: &[ContentId]) -> Built {
    several(concat!("SELECT ", content_columns!(), " FROM contents WHERE id"), ids)
}

/// What guards content, by ids: one to [`IDS_LIMIT`] of them. The index `contents_guard` covers it.
pub fn guards(ids: &[ContentId]) -> Built {
    several("SELECT id, kind, asset_id FROM contents WHERE id", ids)
}

/// Uses by token ids: one to [`IDS_LIMIT`] of them.
pub fn uses(tokens: &[TokenId]) -> Built {
    several("SELECT token_id, used_at, ip, uses FROM token_uses WHERE token_id", tokens)
}

fn several<Of>(select: &str, ids: &[Id<Of>]) -> Built {
    let mut built = Built { sql: select.to_owned(), values: Vec::new(), reversed: false };
    built.one_of(ids.iter().map(|id| Value::from(*id)));
    built
}

/// One statement of every shape, for the test that prepares all statements.
pub fn shapes(id: ContentId) -> Vec<Built> {
    let mut shapes = vec![by_ids(&[id, id]), guards(&[id]), uses(&[TokenId::of(id.any())])];
    for bits in 0..64u8 {
        let has = |bit: u8| bits >> bit & 1 == 1;
        let query = ContentQuery {
            parent: id.any(),
            kind: 1,
            statuses: if has(0) { vec!["A".to_owned(), "B".to_owned()] } else { Vec::new() },
            after: has(1).then_some((1, id)),
            before: has(2).then_some((1, id)),
            since: has(3).then_some(1),
            until: has(4).then_some(1),
            ascending: has(5),
            limit: 1,
        };
        shapes.push(list(&query));
        shapes.push(count(&query));
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_before_is_searched_from_its_own_end() {
        let id = ContentId::from_i64(7).unwrap();
        let mut query = ContentQuery {
            parent: id.any(),
            kind: 13,
            statuses: vec!["A".into()],
            after: None,
            before: Some((5, id)),
            since: None,
            until: Some(9),
            ascending: false,
            limit: 3,
        };
        let built = list(&query);
        assert!(built.sql.ends_with(
            "WHERE parent_id = $1 AND kind = $2 AND status IN ($3) AND sort_at < $4 AND (sort_at, id) > ($5, $6) \
             ORDER BY sort_at ASC, id ASC LIMIT $7"
        ));
        assert!(built.reversed);
        query.before = None;
        assert!(list(&query).sql.ends_with("ORDER BY sort_at DESC, id DESC LIMIT $5"));
    }
}
