//! `diapason plugin`: what is built in, what a component is, a start for one's own, and whether it does what its cases
//! say.

mod case;
mod convert;
mod execute;
mod mutate;
mod new;
mod test;

use crate::args::Plugin as Arguments;
use crate::embedded;
use crate::exit::Exit;
use crate::paint::Paint;
use crate::ui::Ui;
use crate::wire::Plugins;
use diapason_core::Result;
use diapason_core::config::Limits;
use diapason_core::escape::line;
use diapason_sandbox::Plugin;
use serde_json::{Value, json};

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> Result<Exit> {
    let plugins = || Plugins::new(&Limits::default(), ui);
    match arguments {
        Arguments::New { folder, sdk } => new::run(folder, sdk.as_deref(), ui),
        Arguments::List => list(&mut plugins()?, ui),
        Arguments::Inspect { plugin } => inspect(&plugins()?.get(plugin)?, ui),
        Arguments::Test { plugin, cases, mutate: true } => mutate::run(&plugins()?.get(plugin)?, cases, ui),
        Arguments::Test { plugin, cases, mutate: false } => test::run(&plugins()?.get(plugin)?, cases, ui),
    }
}

fn list(plugins: &mut Plugins, ui: &Ui) -> Result<Exit> {
    let all = embedded::plugins().map(|name| plugins.get(name)).collect::<Result<Vec<_>>>()?;
    let documents: Vec<Value> = all.iter().map(document).collect();
    let width = all.iter().map(|plugin| plugin.id().len()).max().unwrap_or(0);
    let row = |plugin: &Plugin, paint: Paint| {
        let id = paint.bold(&format!("{:width$}", line(plugin.id())));
        format!("{id}  {}  {}\n", line(plugin.version()), line(plugin.summary()))
    };
    ui.result(|paint| all.iter().map(|plugin| row(plugin, paint)).collect(), &Value::Array(documents));
    Ok(Exit::Passed)
}

fn inspect(plugin: &Plugin, ui: &Ui) -> Result<Exit> {
    let human = |paint: Paint| {
        let permissions = names(plugin.permissions().iter().map(|one| one.name()));
        let title = paint.bold(&line(&format!("{} {}", plugin.id(), plugin.version())));
        let capabilities = names(plugin.capabilities().iter().map(|one| one.name()));
        format!(
            "{title}\n{}\n\ncapabilities  {capabilities}\npermissions   {permissions}\nsha-256       {}\nsettings\n{:#}\n",
            line(plugin.summary()),
            plugin.sha256(),
            plugin.settings_schema()
        )
    };
    ui.result(human, &document(plugin));
    Ok(Exit::Passed)
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let list = names.collect::<Vec<_>>().join(", ");
    if list.is_empty() { "none".into() } else { list }
}

fn document(plugin: &Plugin) -> Value {
    json!({
        "id": plugin.id(),
        "version": plugin.version(),
        "summary": plugin.summary(),
        "sha256": plugin.sha256(),
        "capabilities": plugin.capabilities().iter().map(|one| one.name()).collect::<Vec<_>>(),
        "permissions": plugin.permissions().iter().map(|one| one.name()).collect::<Vec<_>>(),
        "settings": plugin.settings_schema(),
    })
}
