"""`prorank train`: from a recipe to a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prorank_search import plugins
from prorank_search.cli import options
from prorank_search.cli.interruption import interruptible
from prorank_search.errors import ConfigError, RescorerError

if TYPE_CHECKING:
    from prorank_search.settings import Settings
    from prorank_training.recipe import Recipe, TeacherRecipe
    from prorank_training.run_folder import RunFolder, Stage

RecipeArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RECIPE",
        help="What to train, on what, and how: a TOML file, a name of `prorank train recipes`, or a run's folder.",
    ),
]
RunOption = Annotated[
    Path | None, typer.Option("--run", help="The run's folder; runs/RECIPE-HASH where not given.", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of groups and dev queries, for runs that share them; else the run's."),
]
CollectionsOption = Annotated[
    Path, typer.Option("--collections", help="Folder of the recipe's BEIR folders and files of judgments.")
]
TeacherOption = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        metavar="RESCORER[:MODEL]",
        help="Let this rescorer score the groups; else the recipe's `[teacher]`.",
    ),
]
JudgmentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--judgments", metavar="QUERY_SET", help="Take groups from this installation's judgments too; may be repeated."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change the recipe, as in score.steps=200, or warmup=none; may be repeated."
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="The checkpoint's folder; `checkpoint` in the run's.")]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Fail unless the run was begun before; one that was is gone on from anyway.")
]

StageOption = Annotated[
    Literal["warmup", "score"] | None,
    typer.Option("--stage", help="Whose weights; the last stage that has saved any where not given."),
]

app = typer.Typer(help="Train a model of your own.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Run:
    """What every stage needs to know."""

    recipe: Recipe
    folder: RunFolder
    data: Path
    settings: Settings


@dataclass(frozen=True, slots=True)
class Changes:
    """What flags add to a recipe."""

    judgments: Sequence[str] = ()
    values: Sequence[str] = ()


@app.command()
def recipes(json: options.JsonOption = False, config: options.ConfigOption = None) -> None:
    """List the recipes that have a name: those of this package, and yours in PRORANK_HOME/recipes."""
    from prorank_training import recipe_choice

    known = recipe_choice.named(options.settings_from(config=config).home)
    found = {name: recipe_choice.summary(path) for name, path in known.items()}
    if json:
        options.echo_json([{"name": name} | about for name, about in found.items()])
    else:
        columns = ("base", "warmup_steps", "steps", "path")
        rows = [[name, *(str(about[column]) for column in columns)] for name, about in found.items()]
        options.echo_table(["name", *columns], rows)


@app.command()
def data(
    recipe: RecipeArgument,
    collections: CollectionsOption = Path("collections"),
    run: RunOption = None,
    data: DataOption = None,
    judgments: JudgmentsOption = None,
    changes: SetOption = None,
    teacher: TeacherOption = None,
    resume: ResumeOption = False,
    device: options.DeviceOption = None,
    json: options.JsonOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Make training groups and dev queries out of BEIR folders, indexes and judgments; test splits are not used."""
    changed = Changes(judgments or [], changes or [])
    with _open(recipe, run, data, config, resume=resume, device=device, changed=changed) as opened:
        _show_data(_make_data(opened, collections, teacher), json=json)


@app.command()
def warmup(
    recipe: RecipeArgument,
    run: RunOption = None,
    data: DataOption = None,
    changes: SetOption = None,
    resume: ResumeOption = False,
    device: options.DeviceOption = None,
    json: options.JsonOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Teach the model to answer 1 or 0 by rewards (stage 1), where the recipe has a table `[warmup]`."""
    with _open(
        recipe, run, data, config, resume=resume, device=device, changed=Changes(values=changes or [])
    ) as opened:
        last = _warm_up(opened)
        options.echo_json(last) if json else typer.echo(f"warmed up: {opened.folder.path}")


@app.command()
def score(
    recipe: RecipeArgument,
    run: RunOption = None,
    data: DataOption = None,
    changes: SetOption = None,
    resume: ResumeOption = False,
    device: options.DeviceOption = None,
    json: options.JsonOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Train scores that order documents (stage 2), for as many steps as the recipe says; several GPUs: accelerate."""
    from prorank_training import workers

    with _open(
        recipe, run, data, config, resume=resume, device=device, changed=Changes(values=changes or []), alone=False
    ) as opened:
        last = _train_scores(opened)
        if workers.leads():
            options.echo_json(last) if json else typer.echo(f"trained: {opened.folder.path}")


@app.command()
def export(
    recipe: RecipeArgument,
    out: OutOption = None,
    stage: StageOption = None,
    run: RunOption = None,
    data: DataOption = None,
    device: options.DeviceOption = None,
    json: options.JsonOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Make a checkpoint of what was trained so far: a small difference to the base, and its contract."""
    with _open(recipe, run, data, config, resume=True, device=device) as opened:
        _show_export(opened, out, stage, json=json)


@app.command()
def report(
    recipe: RecipeArgument,
    out: OutOption = None,
    run: RunOption = None,
    data: DataOption = None,
    config: options.ConfigOption = None,
) -> None:
    """Write a model card with the checkpoint's results, and pictures of loss and dev results by step."""
    with _open(recipe, run, data, config, resume=True) as opened:
        from prorank_training import data_folder
        from prorank_training import report as reporting

        made = data_folder.read_statistics(opened.recipe.data_digest(), opened.data)
        typer.echo(reporting.write(opened.folder, _checkpoint(opened, out), made) / "README.md")


@app.command("all")
def all_stages(
    recipe: RecipeArgument,
    collections: CollectionsOption = Path("collections"),
    out: OutOption = None,
    run: RunOption = None,
    data: DataOption = None,
    judgments: JudgmentsOption = None,
    changes: SetOption = None,
    teacher: TeacherOption = None,
    resume: ResumeOption = False,
    device: options.DeviceOption = None,
    json: options.JsonOption = False,
    config: options.ConfigOption = None,
) -> None:
    """Run all stages, one after another: data, warmup (where the recipe has it), score, export."""
    changed = Changes(judgments or [], changes or [])
    with _open(recipe, run, data, config, resume=resume, device=device, changed=changed) as opened:
        _make_data(opened, collections, teacher)
        if opened.recipe.warmup is not None:
            _warm_up(opened)
        _train_scores(opened)
        _show_export(opened, out, "score", json=json)


@contextmanager
def _open(
    recipe: Path,
    run: Path | None,
    data: Path | None,
    config: Path | None,
    *,
    resume: bool,
    device: str | None = None,
    alone: bool = True,
    changed: Changes = Changes(),
) -> Iterator[Run]:
    """Give the run that a command works on; say how to go on where it is interrupted or memory runs out."""
    from prorank_training import workers
    from prorank_training.recipe_choice import choose

    if alone and workers.count() > 1:
        raise ConfigError(
            f"this part of training runs in one process, and WORLD_SIZE says {workers.count()}: start it without "
            "accelerate; `prorank train score` alone takes several"
        )
    settings = options.settings_from(config=config, device=device)
    chosen = choose(recipe, settings.home, run, changed.judgments, changed.values)
    if resume and not (chosen.run / "run.json").is_file():
        raise ConfigError(f"{chosen.run} holds no run that was begun: begin one, or name it with --run")
    try:
        with interruptible("to go on from what was saved last, type"):
            yield Run(chosen.recipe, _begun(chosen.run, chosen.recipe), data or chosen.run, settings)
    except ModuleNotFoundError as error:
        raise plugins.missing_extra(error, needed_by="train") from error
    except (MemoryError, RuntimeError) as error:
        if not _ran_out_of_memory(error):
            raise
        raise RescorerError(_OUT_OF_MEMORY) from error


def _begun(path: Path, recipe: Recipe) -> RunFolder:
    from prorank_training.run_folder import RunFolder

    folder = RunFolder(path)
    folder.begin(recipe)
    return folder


_OUT_OF_MEMORY = (
    "memory ran out: go on with a lower --set score.groups_a_pass=N or --set score.tokens_a_batch=N; "
    "warmup.tokens_a_batch, groups_a_step or document_tokens make another run (--run)"
)


def _ran_out_of_memory(error: Exception) -> bool:
    """Tell by what torch says: its CPU allocator has no kind of error for that."""
    said = str(error)
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said


def _make_data(run: Run, collections: Path, teacher: str | None) -> list[dict[str, object]]:
    from prorank_training import data_folder, sources, teacher_scores
    from prorank_training import teacher as teaching
    from prorank_training.progress import step_progress

    plan = _teacher_plan(run, teacher)
    teachers = teaching.open_teachers(plan, run.recipe.data, run.settings) if plan else {}
    with step_progress("data", every=500) as progress:
        opened = sources.open_all(run.recipe.data, collections, run.settings)
        made = data_folder.make(run.recipe.data, run.recipe.data_digest(), opened, run.data, progress)
    if plan:
        with step_progress("teacher", every=100) as progress:
            teaching.teach(run.recipe, plan, teachers, run.data, progress)
    taught = teacher_scores.read_taught(run.data / data_folder.TEACHER_FILE)
    judged = teacher_scores.statistics(taught, run.recipe.score.teacher_margin)
    rows = [asdict(row) for row in made]
    if not run.recipe.data.judgments:
        rows = [{name: row[name] for name in row if name not in data_folder.OF_JUDGMENTS} for row in rows]
    if not judged:
        return rows
    none = teacher_scores.TeacherStatistics(0, 0.0, 0.0)
    return [row | asdict(judged.get(str(row["collection"]), none)) for row in rows]


def _teacher_plan(run: Run, teacher: str | None) -> TeacherRecipe | None:
    from prorank_training.recipe import TeacherRecipe

    plan = run.recipe.teacher
    if teacher is None:
        return plan
    return plan.model_copy(update={"rescorer": teacher}) if plan else TeacherRecipe(rescorer=teacher)


def _warm_up(run: Run) -> dict[str, object]:
    from prorank_training import data_folder, one_token_warmup
    from prorank_training.progress import step_progress
    from prorank_training.trainee import open_base, open_trainee

    groups, dev = data_folder.load(run.recipe.data_digest(), run.data)
    with run.folder.held(), step_progress("warmup", every=10) as progress:
        run.folder.note_recipe(run.recipe)
        trainee = open_trainee(run.recipe, run.settings)
        if run.recipe.warmup_plan().path == "one-token":
            one_token_warmup.run(trainee, groups, dev, run.recipe, run.folder, progress)
        else:
            from prorank_training import stage1_warmup

            base = open_base(run.recipe, run.settings)
            stage1_warmup.run(trainee, base, groups, dev, run.recipe, run.folder, progress)
    last: dict[str, object] = run.folder.metrics(one_token_warmup.STAGE)[-1]
    return last


def _train_scores(run: Run) -> dict[str, object]:
    from prorank_training import data_folder, one_token_warmup, stage2_score, workers
    from prorank_training.progress import step_progress
    from prorank_training.trainee import open_trainee

    groups, dev = data_folder.load(run.recipe.data_digest(), run.data)
    with run.folder.held(), workers.joined(run.settings.device), step_progress("score", every=10) as progress:
        run.folder.note_recipe(run.recipe)
        trainee = open_trainee(run.recipe, run.settings)
        if run.recipe.warmup is not None:
            one_token_warmup.take_over(trainee.decoder, run.recipe, run.folder)
        run.folder.note_teacher(data_folder.teacher(run.data) if run.recipe.score.teacher_weight else None)
        stage2_score.run(trainee, groups, dev, run.recipe, run.folder, progress)
    last: dict[str, object] = run.folder.metrics(stage2_score.STAGE)[-1] if workers.leads() else {}
    return last


def _show_data(made: list[dict[str, object]], *, json: bool) -> None:
    if json:
        options.echo_json(made)
    else:
        options.echo_table(list(made[0]), [[str(value) for value in row.values()] for row in made])


def _show_export(run: Run, out: Path | None, stage: Stage | None, *, json: bool) -> None:
    from prorank_training import data_folder
    from prorank_training import export as exporting
    from prorank_training.progress import step_progress

    _, dev = data_folder.load(run.recipe.data_digest(), run.data)
    folder = _checkpoint(run, out)
    with step_progress("dev queries", every=50) as progress:
        contract = exporting.run(run.recipe, run.folder, dev, run.settings, folder, progress, stage)
    if json:
        options.echo_json(contract.model_dump(mode="json"))
        return
    measured = contract.results["dev"]["collections"]
    columns = ("queries", "bm25", "model", "blend")
    rows = [[name, *(f"{row[column]:g}" for column in columns)] for name, row in measured.items()]
    options.echo_table(["nDCG@10 on dev", *columns], rows)
    typer.echo(f"{contract.blend}; checkpoint: {folder}")


def _checkpoint(run: Run, out: Path | None) -> Path:
    return out or run.folder.path / "checkpoint"
