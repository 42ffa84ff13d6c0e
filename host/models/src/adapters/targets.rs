//! Which modules PEFT 0.21.2 puts an adapter on (`check_target_module_exists` in `tuners/tuners_utils.py`).

use super::pattern::Pattern;

/// `target_modules` or `exclude_modules`.
#[derive(Debug)]
pub(super) enum Names {
    /// A text: an expression for whole names.
    Expression(Pattern),
    /// A list: whole names or their last parts.
    List(Vec<String>),
    /// The text `all-linear`: all linear layers but the output head.
    AllLinear,
}

impl Names {
    fn contain(&self, name: &str) -> Result<bool, String> {
        match self {
            Self::Expression(pattern) => pattern.matches(name),
            Self::List(names) => Ok(names.iter().any(|one| ends(name, one))),
            Self::AllLinear => Ok(!super::MODULES.contains(&name)),
        }
    }
}

fn ends(name: &str, target: &str) -> bool {
    name.strip_suffix(target).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The fields of an adapter's configuration that choose modules.
#[derive(Debug)]
pub(super) struct Targets {
    /// `target_modules`
    pub(super) names: Names,
    /// `exclude_modules`
    pub(super) exclude: Option<Names>,
    /// `modules_to_save`, which an adapter is never put on.
    pub(super) saved: Vec<Pattern>,
    /// `layers_to_transform`; empty where every layer is.
    pub(super) layers: Vec<i64>,
    /// `layers_pattern`; empty where any list of modules counts as the layers.
    pub(super) layers_pattern: Vec<Pattern>,
}

impl Targets {
    /// Whether the adapter belongs on the module `name`. Errors where an expression cannot be tried.
    pub(super) fn contain(&self, name: &str) -> Result<bool, String> {
        if let Some(exclude) = &self.exclude
            && exclude.contain(name)?
        {
            return Ok(false);
        }
        for saved in &self.saved {
            if saved.matches(name)? {
                return Ok(false);
            }
        }
        if !self.names.contain(name)? {
            return Ok(false);
        }
        // A name that is listed in full counts whatever its layer.
        let listed = matches!(&self.names, Names::List(names) if names.iter().any(|one| one == name));
        if self.layers.is_empty() || listed {
            return Ok(true);
        }
        Ok(self.index(name)?.is_some_and(|index| self.layers.contains(&index)))
    }

    /// The number of the layer that the module is in.
    fn index(&self, name: &str) -> Result<Option<i64>, String> {
        if self.layers_pattern.is_empty() {
            return Ok(first_number(name));
        }
        for pattern in &self.layers_pattern {
            if let Some(index) = pattern.index(name)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

/// As `re.match(r".*?\.[^.]*\.(?P<idx>\d+)\.", name)`: the first part that is a number, behind two others and before one.
fn first_number(name: &str) -> Option<i64> {
    let parts: Vec<&str> = name.split('.').collect();
    let inner = parts.get(2..parts.len().saturating_sub(1))?;
    inner.iter().find(|part| !part.is_empty() && part.chars().all(char::is_numeric))?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn targets(names: Names) -> Targets {
        Targets { names, exclude: None, saved: Vec::new(), layers: Vec::new(), layers_pattern: Vec::new() }
    }

    fn list(names: &[&str]) -> Names {
        Names::List(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn q(layer: usize) -> String {
        format!("model.layers.{layer}.self_attn.q_proj")
    }

    #[test]
    fn lists_match_whole_parts() {
        let all = targets(list(&["q_proj", "self_attn.v_proj"]));
        for (name, expected) in [(q(0), true), ("model.x_q_proj".into(), false), ("q_proj".into(), true)] {
            assert_eq!(all.contain(&name).unwrap(), expected, "{name}");
        }
        let excluded = Targets { exclude: Some(list(&["layers.1.self_attn.q_proj"])), ..targets(list(&["q_proj"])) };
        assert!(excluded.contain(&q(0)).unwrap() && !excluded.contain(&q(1)).unwrap());
        let saved = Targets { saved: vec![Pattern::part("self_attn").unwrap()], ..targets(list(&["q_proj"])) };
        assert!(!saved.contain(&q(0)).unwrap());
    }

    #[test]
    fn layers_are_chosen_by_number() {
        let some = Targets { layers: vec![1], ..targets(list(&["q_proj", "model.layers.3.self_attn.q_proj"])) };
        let chosen: Vec<usize> = (0..5).filter(|layer| some.contain(&q(*layer)).unwrap()).collect();
        assert_eq!(chosen, [1, 3], "a name in full counts whatever its layer");
        let other = Targets { layers_pattern: vec![Pattern::layer("h").unwrap()], ..some };
        assert!(!other.contain(&q(1)).unwrap());
        assert!(!other.contain("lm_head").unwrap());
    }

    #[test]
    fn all_linear_leaves_the_head_out() {
        let all = targets(Names::AllLinear);
        assert!(all.contain(&q(0)).unwrap() && !all.contain("lm_head").unwrap());
        assert!(!all.contain("model.embed_tokens").unwrap(), "an embedding is no linear layer");
    }
}
