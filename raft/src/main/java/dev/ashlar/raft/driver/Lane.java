package dev.ashlar.raft.driver;

/** A connection to a peer of its own, so that heartbeats never queue behind blocks. */
public enum Lane {
  /** Votes, heartbeats, acknowledgements, reads. */
  CONTROL,
  /** Entries with bytes. */
  LOG,
  /** Forwarded commands, manifests, blocks of a manifest. */
  BULK
}
