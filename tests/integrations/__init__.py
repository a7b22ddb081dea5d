"""Tests of what fine-tuning a language model takes from here."""
