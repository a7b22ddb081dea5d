"""The paper's two experiments: Table 1, digits with wrong labels, and Table 2, restaurant reservation."""
