//! What `wit-bindgen` makes of `wit/`, and nothing else. The folder is a link to the repository's, which `cargo package`
//! replaces by the files, so that the package is whole.
//!
//! One world per capability, so that a plugin exports only what it has; the records and the imports are generated
//! once, beside `about`, which every plugin exports.

#![allow(missing_docs, clippy::all)]

/// `about`, the records, and everything that a plugin may import.
pub mod about {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package diapason:sdk-about;
            world about-export {
                include diapason:plugin/imports@0.1.0;
                export diapason:plugin/about@0.1.0;
            }
        ",
        additional_derives: [PartialEq],
        generate_unused_types: true,
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_about",
    });
}

/// An evaluator's exports.
pub mod evaluator {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package diapason:sdk-evaluator; world evaluator-export { export diapason:plugin/evaluator@0.1.0; }",
        with: { "diapason:plugin/types@0.1.0": crate::bindings::about::diapason::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_evaluator",
    });
}

/// A comparator's exports.
pub mod comparator {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package diapason:sdk-comparator; world comparator-export { export diapason:plugin/comparator@0.1.0; }",
        with: { "diapason:plugin/types@0.1.0": crate::bindings::about::diapason::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_comparator",
    });
}

/// A validator's exports.
pub mod validator {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package diapason:sdk-validator; world validator-export { export diapason:plugin/validator@0.1.0; }",
        with: { "diapason:plugin/types@0.1.0": crate::bindings::about::diapason::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_validator",
    });
}

/// A chat template's exports.
pub mod chat_template {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package diapason:sdk-template; world template-export { export diapason:plugin/chat-template@0.1.0; }",
        with: { "diapason:plugin/types@0.1.0": crate::bindings::about::diapason::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_chat_template",
    });
}
