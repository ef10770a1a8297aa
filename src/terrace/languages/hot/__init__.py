"""HOT, the language of Heat's templates, read strictly: parse -> resolve -> compile."""
