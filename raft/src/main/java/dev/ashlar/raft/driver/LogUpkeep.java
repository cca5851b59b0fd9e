package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.RaftCore;

/**
 * Decides how much of the log is kept: by size, for slow followers, and by time, so that a deleted
 * block's bytes are gone within a stated time.
 */
final class LogUpkeep {

  /** A follower that is in contact is waited for until the log is so many times its bound. */
  private static final int PATIENCE = 4;

  private static final int UPKEEP_TICKS = 10;

  private final DriverOptions options;
  private long periodTick;
  private long appliedAtPeriod;
  private long byTime;
  private boolean freeze;
  private long upkeepTick;
  private long watermark;
  private long askedBase = -1;
  private long askedTick;
  private long unreadable;

  LogUpkeep(DriverOptions options) {
    this.options = options;
  }

  /** Effects up to the watermark are in the index: entries up to there can be dropped. */
  void wrote(long newWatermark) {
    watermark = newWatermark;
  }

  /** An entry cannot be given to a follower any more: nobody waits for it to be taken. */
  void cannotGive(long index) {
    unreadable = Math.max(unreadable, index);
  }

  /** Whether it is time to go on with folding and sweeping although nothing else is written. */
  boolean isDue(long now) {
    if (now - upkeepTick < UPKEEP_TICKS) {
      return false;
    }
    upkeepTick = now;
    return true;
  }

  /** Whether the effects of the period should be folded, whatever their number. */
  boolean freezes() {
    boolean due = freeze;
    freeze = false;
    return due;
  }

  /** Up to where to compact now, 0 for not at all. */
  long compactTo(RaftCore core, long applied, long now, boolean isHeld) {
    if (now - periodTick >= options.compactTicks()) {
      periodTick = now;
      byTime = appliedAtPeriod;
      appliedAtPeriod = applied;
      freeze = byTime > core.base().index();
    }
    if (isHeld) {
      return 0;
    }
    long entries = applied - core.base().index();
    boolean large = entries > options.retainEntries() || core.logBytes() > options.retainBytes();
    long bySize =
        Math.max(
            applied - options.retainEntries() / 2, core.indexKeeping(options.retainBytes() / 2));
    long target = large ? Math.min(applied, bySize) : byTime;
    // Entries are dropped once the index has their effects: a fold may be due before its time.
    freeze |= large && watermark < target;
    boolean patient =
        core.base().index() >= unreadable
            && entries <= (long) PATIENCE * options.retainEntries()
            && core.logBytes() <= PATIENCE * options.retainBytes();
    if (patient) {
      for (RaftCore.Peer peer : core.peers().values()) {
        boolean inContact = peer.silentTicks() <= options.core().electionTicksMax();
        if (inContact && !peer.needsSnapshot()) {
          target = Math.min(target, peer.match());
        }
      }
    }
    target = Math.min(target, watermark);
    // A few entries are not worth a transaction of their own.
    boolean worth = target - core.base().index() > options.retainEntries() / 8 || target == byTime;
    boolean stuck = core.base().index() == askedBase && now - askedTick < UPKEEP_TICKS;
    if (!worth || stuck || target <= core.base().index()) {
      return 0;
    }
    askedBase = core.base().index();
    askedTick = now;
    return target;
  }
}
