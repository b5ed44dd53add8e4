//! Which fields a call asks for.

use crate::protocol::envelope::GraphError;
use crate::protocol::fields::{self, FieldSpec, FieldsError};
use crate::protocol::paging;
use crate::schema::{self, Field, NodeType, Type, Verb};

use super::input::Problem;
use super::{Cx, Node};

impl Cx<'_> {
    /// The fields that the call asks for, or none if it names none. `rows` is how many objects of
    /// this kind each node of the call may answer with.
    pub fn field_specs(&self, rows: u64, kind: &NodeType) -> Result<Option<Vec<FieldSpec>>, Problem> {
        let Some(text) = self.input.get("fields") else { return Ok(None) };
        let specs = fields::parse(text).map_err(GraphError::from)?;
        if specs.is_empty() {
            return Ok(None);
        }
        let objects = rows.saturating_mul(self.input.nodes);
        if objects.saturating_mul(worst_cost(&specs, Some(kind))) > fields::MAX_COST {
            return Err(GraphError::from(FieldsError::TooCostly).into());
        }
        Ok(Some(specs))
    }
}

/// How many values a row may hold. An edge counts as a page of 25 rows unless a limit says
/// otherwise, any other field as one object. If the kind is unknown, a limit marks an edge.
fn worst_cost(specs: &[FieldSpec], kind: Option<&NodeType>) -> u64 {
    specs.iter().fold(0, |cost, spec| {
        let edge = kind.filter(|k| is_edge_of(k, &spec.name)).and_then(|k| k.edge(&spec.name, Verb::Get));
        let rows = match (spec.limit(), edge) {
            (Ok(Some(limit)), _) => u64::from(limit),
            (_, Some(_)) => u64::from(paging::DEFAULT_LIMIT),
            _ if spec.children.is_empty() => 0,
            _ => 1,
        };
        let inner = match (edge, kind.and_then(|k| k.field(&spec.name))) {
            (Some(edge), _) => schema::find(edge.rows),
            (None, Some(Field { ty: Type::Node(name), .. })) => schema::find(name),
            _ => None,
        };
        cost.saturating_add(1).saturating_add(rows.saturating_mul(worst_cost(&spec.children, inner).max(1)))
    })
}

/// The fields that are shown if the call names none.
pub(super) fn defaults(kind: &'static NodeType, in_row: bool) -> Vec<FieldSpec> {
    let shown = |f: &&Field| if in_row { f.in_rows } else { f.on_node };
    kind.fields.iter().filter(shown).map(|f| FieldSpec::plain(f.name)).collect()
}

/// Whether a field name means an edge.
pub(super) fn is_edge(node: &Node, name: &str) -> bool {
    is_edge_of(node.kind(), name)
}

fn is_edge_of(kind: &NodeType, name: &str) -> bool {
    kind.edge(name, Verb::Get).is_some() && kind.fields.iter().all(|f| f.name != name)
}
