//! How a plugin is exported.

use crate::bindings::about::exports::diapason::plugin::about::Description;
use schemars::{JsonSchema, generate::SchemaSettings};
use std::marker::PhantomData;

/// Carries the interface's functions for a plugin's own type.
pub struct Exported<T>(PhantomData<T>);

/// A plugin's `about`.
pub fn description<S: JsonSchema>(id: &str, version: &str, summary: &str) -> Description {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.root_schema_for::<S>();
    let (id, version, summary) = (id.to_owned(), version.to_owned(), summary.to_owned());
    Description { id, version, summary, settings_schema: schema.as_value().to_string() }
}

/// Exports a plugin: names, after each capability, the type that implements it.
///
/// ```ignore
/// diapason_plugin::plugin! { evaluator: Accuracy }
/// ```
///
/// The capabilities are `evaluator`, `comparator`, `validator` and `chat_template`. A plugin may have several, if
/// their settings are of one type. Its id, version and summary are its package's name, version and description.
/// In tests, it also runs the package's `cases`.
#[macro_export]
macro_rules! plugin {
    ($capability:ident: $type:ident $(, $more:ident: $other:ident)* $(,)?) => {
        const _: () = {
            struct About;

            impl $crate::bindings::about::exports::diapason::plugin::about::Guest for About {
                fn about() -> $crate::bindings::about::exports::diapason::plugin::about::Description {
                    $crate::glue::description::<$crate::settings_of!($capability: $type)>(
                        env!("CARGO_PKG_NAME"),
                        env!("CARGO_PKG_VERSION"),
                        env!("CARGO_PKG_DESCRIPTION"),
                    )
                }
            }

            #[cfg(target_family = "wasm")]
            $crate::bindings::about::export_about!(About with_types_in $crate::bindings::about);
        };
        $crate::export_capability!($capability: $type);
        $($crate::export_capability!($more: $other);)*

        #[cfg(test)]
        mod cases {
            #[test]
            fn hold() {
                let runners = [
                    $crate::case_runner!($capability: super::$type)
                    $(, $crate::case_runner!($more: super::$other))*
                ];
                $crate::cases::check(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"), &runners);
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! settings_of {
    (evaluator: $type:ident) => {
        <$type as $crate::Evaluator>::Settings
    };
    (comparator: $type:ident) => {
        <$type as $crate::Comparator>::Settings
    };
    (validator: $type:ident) => {
        <$type as $crate::Validator>::Settings
    };
    (chat_template: $type:ident) => {
        <$type as $crate::ChatTemplate>::Settings
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! case_runner {
    (evaluator: $type:path) => {
        ("evaluator", $crate::cases::evaluate::<$type> as fn(&_) -> _)
    };
    (comparator: $type:path) => {
        ("comparator", $crate::cases::compare::<$type> as fn(&_) -> _)
    };
    (validator: $type:path) => {
        ("validator", $crate::cases::validate::<$type> as fn(&_) -> _)
    };
    (chat_template: $type:path) => {
        ("chat-template", $crate::cases::render::<$type> as fn(&_) -> _)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_capability {
    (evaluator: $type:ident) => {
        const _: () = {
            type Evaluator = $crate::glue::Exported<$type>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::evaluator::export_evaluator!(Evaluator with_types_in $crate::bindings::evaluator);
        };
    };
    (comparator: $type:ident) => {
        const _: () = {
            type Comparator = $crate::glue::Exported<$type>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::comparator::export_comparator!(Comparator with_types_in $crate::bindings::comparator);
        };
    };
    (validator: $type:ident) => {
        const _: () = {
            type Validator = $crate::glue::Exported<$type>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::validator::export_validator!(Validator with_types_in $crate::bindings::validator);
        };
    };
    (chat_template: $type:ident) => {
        const _: () = {
            type Template = $crate::glue::Exported<$type>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::chat_template::export_chat_template!(Template with_types_in $crate::bindings::chat_template);
        };
    };
}
