//! What a command may print on standard output.

use clap::ValueEnum;

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Markdown,
    /// One page that opens offline
    Html,
}

/// Of what has no page.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum TextFormat {
    #[default]
    Table,
    Json,
    Markdown,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum ListFormat {
    #[default]
    Table,
    Json,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum VerdictFormat {
    #[default]
    Table,
    Markdown,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum SchemaFormat {
    #[default]
    Json,
}
