//! Which fields a call asks for.

use crate::protocol::fields::{self, FieldSpec};
use crate::schema::{Field, NodeType, Type};

use super::input::Problem;
use super::{Cx, Node};

impl Cx<'_> {
    /// The fields of the call, or none when it names none.
    pub fn field_specs(&self) -> Result<Option<Vec<FieldSpec>>, Problem> {
        let Some(text) = self.input.get("fields") else { return Ok(None) };
        let specs = fields::parse(text).map_err(crate::protocol::envelope::GraphError::from)?;
        if specs.is_empty() {
            return Ok(None);
        }
        fields::check_cost(&specs, 1, &mut fields::assume_edges(&specs)).map_err(crate::protocol::envelope::GraphError::from)?;
        Ok(Some(specs))
    }
}

/// What is given when nothing is asked for.
pub(super) fn defaults(kind: &'static NodeType, in_row: bool) -> Vec<FieldSpec> {
    let shown = |f: &&Field| if in_row { f.in_rows } else { f.on_node };
    kind.fields.iter().filter(shown).map(|f| FieldSpec::plain(f.name)).collect()
}

/// Whether a field stands for an edge.
pub(super) fn is_edge(node: &Node, name: &str) -> bool {
    let kind = node.kind();
    kind.edge(name, crate::schema::Verb::Get).is_some() && kind.fields.iter().all(|f| f.name != name || f.ty == Type::Edge)
}
