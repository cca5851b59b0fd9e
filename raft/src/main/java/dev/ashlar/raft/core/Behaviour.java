package dev.ashlar.raft.core;

/** What a member does in its role. Dispatch on messages is in {@link RaftCore}. */
sealed interface Behaviour permits Following, Campaigning, Leading {

  /** The role as others see it. */
  Role role();

  /** A tick has passed. */
  void tick();

  /** Some writes have become durable. */
  void persisted();

  /** A {@link Ready} is about to be taken: what is waiting makes one batch. */
  void prepare();

  /** Whether a leader was heard so lately that no vote is given away (thesis §4.2.3, §6.4.1). */
  boolean protectsLeader();
}
