package dev.ashlar.block.dag;

/** How much of a DAG is wanted from where a path ends (Trustless Gateway, {@code dag-scope}). */
public enum DagScope {
  /** The block alone. */
  BLOCK,
  /** The file, or the directory with all its shards but without what is in it. */
  ENTITY,
  /** Everything that is reachable. */
  ALL
}
