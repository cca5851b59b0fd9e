package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.Ready;

/** Who runs a driver. All calls come on the driver's thread. */
public interface Host {

  /** Where others reach this member now. */
  String address();

  /** Call {@link RaftDriver#pump()} soon, once, after what is waiting has been handed in. */
  void schedulePump();

  /** Term, role, leader or membership are not what they were. */
  void changed(Ready.Status status);

  /** Something is damaged that only others could mend, and they cannot: the member goes on. */
  void damaged(Throwable why);

  /** The member cannot go on; it has stopped. */
  void failed(Throwable why);
}
