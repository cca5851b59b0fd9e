package dev.ashlar.simulation;

import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.replication.Replica;

/** Sees everything that happens, to check it. Each method does nothing unless overridden. */
interface Observer {

  /** A node has been started. */
  default void started(SimNode node) {}

  /** A node has lost everything but its disk. */
  default void crashed(SimNode node) {}

  /** A node that is down has lost the latest of what its disk had. */
  default void wentBack(SimNode node) {}

  /** A node hands a message to the network. */
  default void sent(SimNode from, MemberId to, PeerMessage message) {}

  /** Term, role or membership of a node have changed. */
  default void changed(SimNode node, Ready.Status status) {}

  /** An entry has taken effect on a node. */
  default void applied(SimNode node, StorageEngine.Applied applied) {}

  /** A node's disk has committed. */
  default void wrote(SimNode node, Replica replica) {}

  /** A node has done a step. */
  default void stepped(SimNode node) {}
}
