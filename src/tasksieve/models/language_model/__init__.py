"""Language models that answer dialogs: read from anywhere, and fine-tuned by small adapters.

:mod:`~tasksieve.models.language_model.loading`  a model and its tokenizer, from a folder, the hub or a GGUF file
:mod:`~tasksieve.models.language_model.tokens`   dialogs as tokens, and where their responses stand
:mod:`~tasksieve.models.language_model.adapters` low-rank adapters, a set of its own for every row of a batch
:mod:`~tasksieve.models.language_model.peft_folder` adapters as a folder that peft reads
:mod:`~tasksieve.models.language_model.reading`  losses of responses, and scores of candidates
:mod:`~tasksieve.models.language_model.model`    the dialog model of runs, ``model.kind = "language-model"``
"""
