"""The oracle: an observed trace judged by what the model can do (rules JUDGE-* in spec/oracle.md)."""
