"""The order of the gallery, and how its pictures look."""

from sphinx_gallery.sorting import _SortKey

ORDER = [
    "plot_first_steps.py",
    "plot_own_folder.py",
    "plot_train_and_predict.py",
    "plot_timeline.py",
    "plot_attention_and_occlusion.py",
    "plot_speakers_or_random_folds.py",
    "plot_network_or_svm.py",
    "plot_smote_or_class_weights.py",
    "plot_grid_search.py",
    "plot_new_microphone.py",
    "plot_persistence.py",
    "plot_post.py",
    "plot_own_networks.py",
    "search_emodb.py",
    "vote_emodb.py",
    "listen.py",
]


class ByList(_SortKey):
    """Order examples as a user meets their questions; new ones come last."""

    def __call__(self, filename):
        """Return the place of an example."""
        return ORDER.index(filename) if filename in ORDER else len(ORDER)


def set_style(gallery_conf, fname):
    """Draw the pictures of an example so that they are sharp and fit the page."""
    import matplotlib

    matplotlib.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.figsize": (7, 4),
            "savefig.dpi": 110,
        }
    )
