"""``skemotion train``."""

from collections import Counter

from skemotion.cli._corpus import load_corpus
from skemotion.cli._models import fit_by_speaker
from skemotion.cli._training import make_pipeline, save_pipeline, watch_training


def run(options):
    """Train on all of the corpus and save the pipeline."""
    corpus = load_corpus(options.corpus)
    pipeline = watch_training(make_pipeline(options))
    if options.by_speaker:
        pipeline = fit_by_speaker(pipeline, corpus)
    else:
        pipeline.fit(corpus.paths, corpus.target, groups=corpus.speakers)
    save_pipeline(pipeline, options.output)

    counts = Counter(corpus.target.tolist())
    listed = ", ".join(f"{label} {counts[label]}" for label in sorted(counts))
    print(f"trained on {len(corpus.paths)} recordings ({listed})")
    print(f"saved {options.output}")
    print("how good is it? skemotion evaluate tells, with the same options")
