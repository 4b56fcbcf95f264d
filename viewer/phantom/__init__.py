"""A synthetic chest CT whose truth is known: the sample study and the tests' patient."""
