//! `peft_type`: the methods of PEFT 0.21.2, of which LoRA is read here.

use diapason_core::{Error, Result};

/// Methods whose effect is a change of the weights, so that PEFT can merge it into the base.
const MERGED: [&str; 33] = [
    "ADALORA",
    "ADAMSS",
    "BEFT",
    "BOFT",
    "BONE",
    "C3A",
    "DEFT",
    "DELORA",
    "FOURIERFT",
    "FROD",
    "GLORA",
    "GRALORA",
    "HIRA",
    "HRA",
    "IA3",
    "LN_TUNING",
    "LOHA",
    "LOKR",
    "MISS",
    "OFT",
    "OSF",
    "PSOFT",
    "PVERA",
    "RANDLORA",
    "ROAD",
    "SHIRA",
    "SUPERTUNING",
    "TINYLORA",
    "TRAINABLE_TOKENS",
    "UNILORA",
    "VBLORA",
    "VERA",
    "WAVEFT",
];

/// Methods that add something to the input or to the layers, which no weight can hold.
const ADDED: [&str; 12] = [
    "ADAPTION_PROMPT",
    "CARTRIDGE",
    "CPT",
    "LILY",
    "MULTITASK_PROMPT_TUNING",
    "PEANUT",
    "POLY",
    "PREFIX_TUNING",
    "PROMPT_TUNING",
    "P_TUNING",
    "SHADOW",
    "XLORA",
];

/// What to do about an adapter whose effect can be in the weights.
pub(super) const MERGE: &str =
    "merge it into its base with PEFT (`merge_and_unload`) and open the merged folder, or train a LoRA adapter here";

/// Accepts `LORA`.
///
/// # Errors
/// Another method, by its name, with what can be done about it.
pub(super) fn check(peft_type: &str, place: &str) -> Result<()> {
    if peft_type == "LORA" {
        return Ok(());
    }
    let fail = |what: String, hint: &str| Err(Error::data(format!("{place} {what}")).hint(hint));
    let name = format!("is \"{peft_type}\"");
    if MERGED.contains(&peft_type) {
        return fail(format!("{name}: only LORA is read here"), MERGE);
    }
    if ADDED.contains(&peft_type) {
        let hint = "it cannot be merged into the weights either: train a LoRA adapter (`diapason train`)";
        return fail(format!("{name}: only LORA is read here"), hint);
    }
    let hint = if peft_type.eq_ignore_ascii_case("LORA") {
        "PEFT writes it in capitals: `\"peft_type\": \"LORA\"`"
    } else {
        "the file was edited, or comes from a version of PEFT after 0.21"
    };
    fail(format!("{name}, which is no method of PEFT"), hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_other_method_is_refused_by_name_with_a_hint() {
        check("LORA", "").unwrap();
        for name in MERGED.iter().chain(&ADDED).chain(&["lora", "NEW"]) {
            let error = check(name, "`peft_type` in adapter_config.json").unwrap_err();
            assert!(
                error.to_string().contains(&format!("`peft_type` in adapter_config.json is \"{name}\"")),
                "{error}"
            );
            assert!(error.hint_text().is_some());
        }
    }
}
