"""What a run leaves behind, as plain data: configuration, metrics, weights. Knows neither torch nor dialogs."""
