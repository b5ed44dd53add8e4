//! Prints the reference of the Graph from the schema table. It only prints what the table says.
