//! The Rust side of `wit/`, generated. One world with every interface: the host loads the exports that a component has
//! one interface at a time, so no component needs all of them.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package diapason:host;

        world host {
            import diapason:plugin/types@0.1.0;
            import diapason:plugin/log@0.1.0;
            import diapason:plugin/tokenizer@0.1.0;
            import diapason:plugin/model@0.1.0;
            export diapason:plugin/about@0.1.0;
            export diapason:plugin/chat-template@0.1.0;
            export diapason:plugin/validator@0.1.0;
            export diapason:plugin/evaluator@0.1.0;
            export diapason:plugin/comparator@0.1.0;
        }
    ",
    imports: { default: trappable },
});
