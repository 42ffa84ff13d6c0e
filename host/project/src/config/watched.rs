//! No rule rests on the suite that early stopping watches: training chose its best state by it.

use diapason_core::config::Config;
use diapason_core::schema::Problem;

/// Rules about the suite that early stopping watches.
pub(super) fn problems(config: &Config, found: &mut Vec<Problem>) {
    let Some((watched, _)) = config.watched() else { return };
    let rules = config.rules.iter().enumerate().filter(|(_, rule)| rule.suite == watched.name);
    found.extend(rules.map(|(index, _)| {
        let name = &watched.name;
        Problem::new(
            format!("/rule/{index}/suite"),
            format!("`{name}` is the suite that early stopping watches, so it cannot be the gate's evidence"),
            "the best of several looks is too good: give early stopping a suite of its own with other rows, a development \
             split, or watch `loss`",
        )
    }));
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use std::path::Path;

    fn load(metric: &str, rule: &str) -> Result<super::Config, diapason_core::Error> {
        let text = format!(
            "[model]\npath = \"m\"\n[data]\ntrain = \"t\"\nheld_out = 0.1\n\
             [train]\nearly_stopping = {{ metric = \"{metric}\" }}\n\
             [[suite]]\nname = \"dev\"\ndata = \"d\"\n[[suite]]\nname = \"dev.hard\"\ndata = \"h\"\n\
             [[rule]]\nsuite = \"{rule}\"\nmeasure = \"x.y\"\ngain = 0\n"
        );
        parse(&text, "diapason.toml", Path::new(""))
    }

    #[test]
    fn a_rule_on_the_watched_suite_is_refused_with_its_line() {
        let error = load("dev.x.y", "dev").expect_err("refused");
        assert!(error.to_string().contains("line 15: rule.0.suite: `dev` is the suite that early stopping"), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("development split")));
        assert!(load("dev.hard.x.y", "dev.hard").is_err(), "the longer name is meant");
    }

    #[test]
    fn another_suite_and_the_loss_are_accepted() {
        for (metric, rule) in [("dev.x.y", "dev.hard"), ("dev.hard.x.y", "dev"), ("loss", "dev")] {
            let config = load(metric, rule).expect("accepted");
            assert_eq!(config.watched().is_none(), metric == "loss");
        }
    }
}
