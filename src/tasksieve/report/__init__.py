"""What people look at: tables for the terminal, figures, and one HTML page. Reads records, never torch."""
