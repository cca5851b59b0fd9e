package dev.ashlar.simulation;

import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.RaftFault;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.driver.DriverOptions;
import dev.ashlar.raft.driver.Host;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.driver.RaftDriver;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A machine: its disk, its clock, and the member that runs on it while it is up. */
final class SimNode implements Host {

  private static final int TICK_MICROS = 20_000;

  private final World world;
  private final int number;
  private final SimNetwork network;
  private final Observer observer;
  private final DriverOptions options;
  private final EngineOptions engineOptions;
  private final UUID cluster;
  private SimDisk disk = new SimDisk();
  private MemberId member;
  private @Nullable RaftDriver driver;
  private @Nullable StorageEngine engine;
  private int life;
  private int starts;
  private boolean paused;
  private boolean damaged;
  private long lostTo;
  private double clockRate = 1;
  private final ArrayDeque<Runnable> whilePaused = new ArrayDeque<>();

  SimNode(
      World world,
      int number,
      SimNetwork network,
      Observer observer,
      DriverOptions options,
      EngineOptions engineOptions,
      UUID cluster) {
    this.world = world;
    this.number = number;
    this.network = network;
    this.observer = observer;
    this.options = options;
    this.engineOptions = engineOptions;
    this.cluster = cluster;
    this.member = newMember();
  }

  int number() {
    return number;
  }

  MemberId member() {
    return member;
  }

  @Override
  public String address() {
    return "node-" + number + ":1";
  }

  /** Counts starts and stops; what was under way in another life means nothing. */
  int life() {
    return life;
  }

  /** How often it was started: what was sent before the last start does not arrive after it. */
  int starts() {
    return starts;
  }

  SimDisk disk() {
    return disk;
  }

  boolean isUp() {
    return driver != null && !driver.isStopped();
  }

  boolean isPaused() {
    return paused;
  }

  /**
   * Whether its disk failed, or is damaged where that matters: it takes no further part under this
   * member id.
   */
  boolean isSuspect() {
    return disk.isBroken() || damaged;
  }

  /** Whether it has everything again that its disk lost when it went back in time. */
  boolean hasRegained() {
    return lostTo == 0 || (isUp() && driver().applied() >= lostTo);
  }

  RaftDriver driver() {
    if (driver == null) {
      throw new IllegalStateException(address() + " is down");
    }
    return driver;
  }

  StorageEngine engine() {
    if (engine == null) {
      throw new IllegalStateException(address() + " is down");
    }
    return engine;
  }

  void found(Membership first) {
    StorageEngine opened = StorageEngine.open(disk, engineOptions);
    new Replica(opened).found(cluster, member, first);
    opened.close();
  }

  void join() {
    StorageEngine opened = StorageEngine.open(disk, engineOptions);
    new Replica(opened).join(cluster, member);
    opened.close();
  }

  void start() {
    life++;
    starts++;
    paused = false;
    whilePaused.clear();
    Replica replica;
    RaftCore.Restored restored;
    try {
      replica = new Replica(StorageEngine.open(disk, engineOptions));
      restored = replica.restored();
    } catch (StoreFormatException e) {
      world.note(address() + " refuses to start: " + e.getMessage());
      if (!disk.isHarmed()) {
        // It has damaged itself.
        throw new Violation("SoundDiskOpens", address() + " refuses to start: " + e.getMessage());
      }
      damaged = true;
      return;
    }
    engine = replica.engine();
    driver =
        new RaftDriver(
            member,
            options,
            new SplittableRandom(world.random().nextLong()),
            restored,
            new SimStorage(world, this, disk, replica, observer),
            (to, message) -> network.send(this, to, message),
            this);
    observer.started(this);
    int mine = life;
    world.after(world.between(0, TICK_MICROS), () -> tick(mine));
  }

  void crash() {
    life++;
    paused = false;
    whilePaused.clear();
    if (driver != null) {
      driver.stop();
    }
    driver = null;
    engine = null;
    observer.crashed(this);
  }

  /** Crashes, and its disk has lost what came since it was to remember. */
  void goBack() {
    lostTo = engine().status().last().index();
    crash();
    disk.goBack();
    observer.wentBack(this);
  }

  /** A new, empty disk, and so a new member. */
  void wipe() {
    crash();
    disk = new SimDisk();
    damaged = false;
    lostTo = 0;
    member = newMember();
    network.register(member, this);
    join();
  }

  void pause() {
    paused = true;
  }

  void resume() {
    paused = false;
    while (!whilePaused.isEmpty() && !paused) {
      whilePaused.remove().run();
    }
  }

  void setClockRate(double rate) {
    clockRate = rate;
  }

  void receive(MemberId from, PeerMessage message) {
    driver().receive(from, message);
  }

  void lost(MemberId peer, Lane lane) {
    driver().lost(peer, lane);
  }

  /** Runs in the same life or not at all; a machine that is paused gets to it later. */
  void whenRunning(int inLife, Runnable action) {
    if (inLife != life || driver == null) {
      return;
    }
    if (paused) {
      whilePaused.add(() -> whenRunning(inLife, action));
    } else {
      action.run();
      observer.stepped(this);
    }
  }

  @Override
  public void schedulePump() {
    int mine = life;
    world.after(world.between(0, 30), () -> whenRunning(mine, () -> driver().pump()));
  }

  @Override
  public void changed(Ready.Status status) {
    observer.changed(this, status);
  }

  @Override
  public void damaged(Throwable why) {
    world.note(address() + " is damaged: " + why.getMessage());
  }

  @Override
  public void failed(Throwable why) {
    if (why instanceof Violation violation) {
      throw violation;
    }
    boolean isRegressed = why.getCause() instanceof RaftFault;
    boolean isExpected = why instanceof StoreFailedException || why instanceof StoreFormatException;
    if (isExpected && (lostTo > 0 || !isRegressed)) {
      world.note(address() + " ends: " + why.getMessage());
      // As the real node does: it does not begin again from what it cannot go on from.
      boolean isReplaceable = driver().core().status().membership().voters().size() >= 3;
      damaged |= isRegressed || (why instanceof StoreDamagedException && isReplaceable);
      int mine = life;
      world.after(
          0,
          () -> {
            if (mine == life) {
              crash();
            }
          });
    } else {
      Violation violation = new Violation("NoFault", address() + " ended: " + why);
      violation.initCause(why);
      throw violation;
    }
  }

  private void tick(int inLife) {
    if (inLife != life) {
      return;
    }
    if (!paused) {
      driver().tick();
      observer.stepped(this);
    }
    world.after((long) (TICK_MICROS / clockRate), () -> tick(inLife));
  }

  private MemberId newMember() {
    return new MemberId(new UUID(world.random().nextLong(), world.random().nextLong()));
  }
}
