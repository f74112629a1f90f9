//! Audits a classifier of yours: `audit MODEL_DIR TEXTS [BUDGET]`, one text a line.

use std::error::Error;
use std::ops::ControlFlow;

use sixfold_triggers::filter::Words;
use sixfold_triggers::{
    EncodeConfig, FilterConfig, Forwards, GradRandomControl, Luat, LuatConfig, ModelVictim,
    RandomControl, Scorer, Search, SearchConfig, Text, TokenFilter, Uat, Victim, encode,
    vocabulary,
};

#[expect(clippy::print_stdout, reason = "a program")]
fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, texts, rest @ ..] = &args[..] else {
        return Err("usage: audit MODEL_DIR TEXTS [BUDGET], one text a line".into());
    };
    let budget = rest.first().map_or(Ok(20_000.0), |budget| budget.parse())?;
    let (victim, tokenizer) = ModelVictim::from_dir(dir, &sixfold_model::device("flex")?)?;
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<Text<'_>> = texts.lines().map(Text::One).collect();
    let room = EncodeConfig { limit: victim.max_tokens(), trigger: 3, truncate: true };
    let examples = encode(&tokenizer, &texts, &room)?;
    let words = vocabulary(&tokenizer, victim.vocab_size())?;
    let filter = FilterConfig { words: Words::Whole, ..FilterConfig::default() };
    let allowed = TokenFilter::new(&filter, &words).apply()?.allowed();
    let config = SearchConfig { budget: Some(Forwards(budget)), ..SearchConfig::default() };
    let search = Search::new(config, &examples, allowed, &victim)?;

    let layer = victim.n_layers() * 2 / 3;
    let luat = Luat::new(&victim, LuatConfig { layer, ..LuatConfig::default() })?;
    let methods: [Box<dyn Scorer>; 4] = [
        Box::new(luat),
        Box::new(Uat::new(&victim)),
        Box::new(RandomControl),
        Box::new(GradRandomControl::new(victim.table().clone())?),
    ];
    for mut method in methods {
        let go_on = |_: &_| ControlFlow::Continue(());
        let outcome = search.run(&mut search.start(), method.as_mut(), go_on)?;
        let text = tokenizer.decode(&outcome.trigger.ids)?;
        let rate = 100.0 * outcome.rate.share();
        println!("{:16} {rate:5.1} %  `{text}`", method.name());
    }
    Ok(())
}
