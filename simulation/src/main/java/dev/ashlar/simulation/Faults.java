package dev.ashlar.simulation;

import dev.ashlar.block.engine.MapName;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.driver.Lane;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Breaks things, one after the other, and puts some of them right again. */
final class Faults {

  /** A request for a change that was made so long ago has been taken up or given up. */
  private static final long CHANGE_SETTLES_MICROS = 8_000_000;

  private static final List<MapName> ROTTING =
      List.of(
          MapName.HEAP,
          MapName.HEAP,
          MapName.BLOCKS_EVEN,
          MapName.BLOCKS_ODD,
          MapName.ROOTS_EVEN,
          MapName.ROOTS_ODD,
          MapName.LOG,
          MapName.META);

  private final World world;
  private final List<SimNode> nodes;
  private final SimNetwork network;
  private final List<Kind> kinds;
  private final List<SimNode> rotting;
  private final int pauseMicrosMax;
  private boolean running = true;
  private long changeMicros;

  /**
   * @param voters how many of the nodes, the first, found the cluster
   */
  Faults(World world, List<SimNode> nodes, int voters, SimNetwork network) {
    this.world = world;
    this.nodes = nodes;
    this.network = network;
    // Each seed has faults of its own: some show only where others do not interfere.
    List<Kind> drawn = new ArrayList<>(List.of(Kind.values()));
    double share = world.between(2, 10) / 10.0;
    drawn.removeIf(kind -> !world.chance(share));
    // Disks rot on a minority, and nothing else takes copies away then: a good one remains.
    this.rotting =
        voters < 3 || !world.chance(0.3) ? List.of() : nodes.subList(0, (voters - 1) / 2);
    drawn.removeIf(kind -> rotting.isEmpty() ? kind == Kind.ROT : kind.losesCopies());
    this.kinds = drawn.isEmpty() ? List.of(Kind.CRASH) : List.copyOf(drawn);
    this.pauseMicrosMax = world.between(200_000, 1_500_000);
  }

  private enum Kind {
    CRASH,
    CRASH_LEADER,
    CRASH_ALL,
    PAUSE,
    PARTITION,
    ISOLATED_LEADER,
    ONE_WAY,
    LANE,
    QUALITY,
    SLOW_DISK,
    HUNG_DISK,
    FULL_DISK,
    FAILING_DISK,
    LYING_DISK,
    WIPE,
    CLOCK,
    TRANSFER,
    CHANGE,
    RECONFIGURATION,
    ROT;

    /** Whether it may take a good copy away, so that the rot of others could take the last. */
    boolean losesCopies() {
      return this == FAILING_DISK
          || this == LYING_DISK
          || this == WIPE
          || this == CHANGE
          || this == RECONFIGURATION;
    }
  }

  void start() {
    world.after(world.between(50_000, 800_000), this::next);
  }

  /** Nodes whose disks rot. */
  List<SimNode> rotting() {
    return rotting;
  }

  /** Stops breaking, and repairs everything. */
  void stopAndHeal() {
    running = false;
    world.note("heal");
    network.heal();
    for (SimNode node : nodes) {
      node.disk().setFull(SimDisk.Fullness.NOT);
      node.disk().setHung(false);
      node.disk().setSlowness(1);
      node.disk().setFailing(() -> false, false);
      node.setClockRate(1);
      if (node.isPaused()) {
        node.resume();
      }
    }
    repair();
  }

  /**
   * A node that is no member, if there is one, becomes one, on an empty disk.
   *
   * @return the node
   */
  Optional<SimNode> bringNewcomer() {
    Optional<Membership> now = membership();
    Optional<SimNode> newcomer =
        nodes.stream()
            .filter(node -> now.isPresent() && !now.get().contains(node.member()))
            .findFirst();
    newcomer.ifPresent(
        node -> {
          node.wipe();
          node.start();
          ask(node, 100);
        });
    return newcomer;
  }

  private void ask(SimNode node, int attempts) {
    boolean isMember = membership().filter(now -> now.contains(node.member())).isPresent();
    if (!isMember && attempts > 0) {
      admin(new AdminCommand.Add(node.member(), node.address(), false));
      world.after(500_000, () -> ask(node, attempts - 1));
    }
  }

  /** Starts what is down; a node whose disk failed begins anew on an empty one. */
  void repair() {
    for (SimNode node : nodes) {
      if (node.isSuspect()) {
        node.wipe();
      }
      if (!node.isUp()) {
        node.crash();
        node.start();
      }
      if (node.isSuspect()) {
        node.wipe();
        node.start();
      }
    }
  }

  private void next() {
    if (!running) {
      return;
    }
    SimNode node = anyNode();
    switch (kinds.get(world.between(0, kinds.size() - 1))) {
      case CRASH -> crash(node);
      case CRASH_LEADER -> leader().ifPresent(this::crash);
      case CRASH_ALL -> nodes.forEach(this::crash);
      case PAUSE -> pause(node);
      case PARTITION -> partition();
      case ISOLATED_LEADER -> leader().ifPresent(this::isolate);
      case ONE_WAY -> cutOneWay(node);
      case LANE -> cutLane();
      case QUALITY -> quality();
      case SLOW_DISK -> slow(node);
      case HUNG_DISK -> hang(node);
      case FULL_DISK -> fill(node);
      case FAILING_DISK -> failCommit(node);
      case LYING_DISK -> goBack(node);
      case WIPE -> wipe(node);
      case CLOCK -> clock(node);
      case TRANSFER -> admin(new AdminCommand.Transfer(node.member()));
      case CHANGE -> change();
      case RECONFIGURATION -> reconfigure();
      case ROT -> rot();
    }
    world.after(world.between(20_000, pauseMicrosMax), this::next);
  }

  private void crash(SimNode node) {
    if (node.isUp()) {
      world.note("crash " + node.address());
      node.crash();
      restartLater(node);
    }
  }

  private void restartLater(SimNode node) {
    int life = node.life();
    world.after(
        world.between(1_000, 1_500_000),
        () -> {
          if (node.life() == life && !node.isUp()) {
            world.note("restart " + node.address());
            startAgain(node);
          }
        });
  }

  /** What cannot be trusted is set aside, and the node comes back as another member. */
  private void startAgain(SimNode node) {
    if (!node.isSuspect()) {
      node.start();
    }
    if (node.isSuspect()) {
      node.wipe();
      node.start();
      rejoin(node, 40);
    }
  }

  private void rot() {
    SimNode node = rotting.get(world.between(0, rotting.size() - 1));
    MapName map = ROTTING.get(world.between(0, ROTTING.size() - 1));
    world.note("rot of " + map + " on " + node.address());
    node.disk().rot(world, map);
  }

  private void pause(SimNode node) {
    if (node.isUp() && !node.isPaused()) {
      world.note("pause " + node.address());
      node.pause();
      later(node, 2_000_000, node::resume);
    }
  }

  private void partition() {
    world.note("partition");
    List<Integer> side = new ArrayList<>();
    for (SimNode node : nodes) {
      if (world.chance(0.5)) {
        side.add(node.number());
      }
    }
    for (SimNode from : nodes) {
      for (SimNode to : nodes) {
        if (side.contains(from.number()) != side.contains(to.number())) {
          cutAll(from, to);
        }
      }
    }
    healLater();
  }

  /** The leader hears nobody and is heard by nobody; its clients still reach it. */
  private void isolate(SimNode leader) {
    world.note("isolated " + leader.address());
    for (SimNode other : nodes) {
      if (other != leader) {
        cutAll(leader, other);
        cutAll(other, leader);
      }
    }
    healLater();
  }

  private void cutOneWay(SimNode node) {
    world.note("one way " + node.address());
    boolean outwards = world.chance(0.5);
    for (SimNode other : nodes) {
      if (other != node && world.chance(0.7)) {
        cutAll(outwards ? node : other, outwards ? other : node);
      }
    }
    healLater();
  }

  private void cutLane() {
    Lane lane = List.of(Lane.CONTROL, Lane.LOG, Lane.BULK).get(world.between(0, 2));
    SimNode from = anyNode();
    world.note("lane " + lane + " of " + from.address());
    for (SimNode to : nodes) {
      if (to != from && world.chance(0.7)) {
        network.cut(from.number(), to.number(), lane);
      }
    }
    healLater();
  }

  private void cutAll(SimNode from, SimNode to) {
    for (Lane lane : Lane.values()) {
      network.cut(from.number(), to.number(), lane);
    }
  }

  private void healLater() {
    world.after(
        world.between(100_000, 2_500_000),
        () -> {
          if (running) {
            world.note("links heal");
            network.heal();
          }
        });
  }

  private void quality() {
    double loss = world.between(0, 20) / 100.0;
    double duplication = world.between(0, 20) / 100.0;
    int delay = world.chance(0.3) ? 120_000 : 10_000;
    world.note("loss " + loss + " duplication " + duplication + " delay " + delay);
    network.setQuality(loss, duplication, delay);
    network.setLateness(world.between(0, 5) / 100.0);
  }

  private void slow(SimNode node) {
    world.note("slow disk " + node.address());
    node.disk().setSlowness(world.between(10, 300));
    later(node, 2_000_000, () -> node.disk().setSlowness(1));
  }

  private void hang(SimNode node) {
    world.note("hung disk " + node.address());
    node.disk().setHung(true);
    later(node, 3_000_000, () -> node.disk().setHung(false));
  }

  private void fill(SimNode node) {
    world.note("full disk " + node.address());
    node.disk()
        .setFull(
            world.nowMicros() % 2 == 0 ? SimDisk.Fullness.BLOCKS : SimDisk.Fullness.COMMITS_TOO);
    later(node, 2_000_000, () -> node.disk().setFull(SimDisk.Fullness.NOT));
  }

  private void clock(SimNode node) {
    double rate = world.between(5, 30) / 10.0;
    world.note("clock of " + node.address() + " at " + rate);
    node.setClockRate(rate);
  }

  private void change() {
    SimNode node = anyNode();
    Optional<Membership> now = membership();
    if (now.isEmpty() || !areAllThere(now.get())) {
      return;
    }
    if (!now.get().contains(node.member())) {
      admin(new AdminCommand.Add(node.member(), node.address(), world.chance(0.7)));
    } else if (now.get().voters().size() > 1 || now.get().learners().contains(node.member())) {
      admin(new AdminCommand.Remove(node.member()));
    }
  }

  /** Any set of nodes is to vote, in one change: none of those that do so now may be among them. */
  private void reconfigure() {
    Optional<SimNode> leader = leader();
    if (leader.isEmpty() || !areAllThere(membership().orElseThrow())) {
      return;
    }
    Map<MemberId, String> voters = new TreeMap<>();
    for (SimNode node : nodes) {
      if (node.isUp() && !node.isSuspect() && world.chance(0.5)) {
        voters.put(node.member(), node.address());
      }
    }
    if (voters.isEmpty()) {
      return;
    }
    world.note("reconfigure to " + voters.values());
    changeMicros = world.nowMicros();
    SimNode through = leader.get();
    Membership.Target target = Membership.Target.of(voters.keySet(), List.of());
    through.whenRunning(
        through.life(), () -> through.driver().core().change(Long.MAX_VALUE, target, voters));
  }

  /** Its disk fails for good: it comes back empty, as another member. */
  private void failCommit(SimNode node) {
    if (node.isUp() && mayLose(node)) {
      world.note("failing disk " + node.address());
      node.disk().setFailing(() -> mayLose(node), world.nowMicros() % 2 == 0);
      int life = node.life();
      world.after(
          500_000,
          () -> {
            node.disk().setFailing(() -> false, false);
            if (node.isSuspect() && node.life() == life + 1) {
              node.wipe();
              node.start();
              rejoin(node, 40);
            }
          });
    }
  }

  /** What its disk called durable for a while is gone after a crash. */
  private void goBack(SimNode node) {
    if (!node.isUp()) {
      return;
    }
    world.note("lying disk " + node.address());
    node.disk().remember();
    int life = node.life();
    world.after(
        world.between(1_000, 3_000_000),
        () -> {
          if (running && node.life() == life && mayLose(node) && isKnownToOthers(node)) {
            world.note(node.address() + " goes back in time");
            node.goBack();
            restartLater(node);
          }
        });
  }

  /** All have on disk what the node has, and are beyond any vote that it could forget. */
  private boolean isKnownToOthers(SimNode node) {
    RaftCore core = node.driver().core();
    return leader().filter(each -> each.driver().core().isSettledLeader()).isPresent()
        && nodes.stream()
            .filter(each -> core.status().membership().contains(each.member()))
            .allMatch(
                each ->
                    each.engine().status().last().index() == core.last().index()
                        && each.engine().status().last().term() == core.last().term()
                        && each.engine().hardState().term() == core.status().term()
                        && each.driver().core().status().term() == core.status().term()
                        && isSettled(each.driver().core().status().role()));
  }

  private static boolean isSettled(Role role) {
    return role instanceof Role.Leader
        || (role instanceof Role.Follower follower && follower.leader().isPresent());
  }

  private void wipe(SimNode node) {
    if (mayLose(node)) {
      world.note("wipe " + node.address());
      node.wipe();
      node.start();
      rejoin(node, 40);
    }
  }

  private void rejoin(SimNode node, int attempts) {
    boolean isMember =
        membership().filter(now -> now.isVoter(node.member())).isPresent() || attempts == 0;
    if (!isMember && running) {
      admin(new AdminCommand.Add(node.member(), node.address(), true));
      world.after(400_000, () -> rejoin(node, attempts - 1));
    }
  }

  /**
   * A disk may be lost where a quorum of the others still has everything: nobody else in any
   * membership is lost, none is joint, and all agree.
   */
  private boolean mayLose(SimNode node) {
    if (world.nowMicros() - changeMicros < CHANGE_SETTLES_MICROS) {
      return false;
    }
    for (SimNode each : nodes) {
      if (!each.isUp() || each.isSuspect() || !each.hasRegained()) {
        return false;
      }
      Membership now = each.driver().core().status().membership();
      boolean knows = !now.members().isEmpty();
      if (knows
          && (now.isJoint()
              || now.target().isPresent()
              || now.voters().size() < 3
              || !areAllThere(now))) {
        return false;
      }
    }
    return membership().isPresent() && nodes.contains(node);
  }

  private boolean areAllThere(Membership membership) {
    TreeSet<MemberId> there = new TreeSet<>();
    nodes.stream().filter(node -> !node.isSuspect()).forEach(node -> there.add(node.member()));
    return there.containsAll(membership.members());
  }

  private void admin(AdminCommand command) {
    SimNode through = anyNode();
    if (through.isUp()) {
      world.note("admin " + command);
      changeMicros = world.nowMicros();
      through.whenRunning(
          through.life(), () -> through.driver().admin(command, result -> world.note("" + result)));
    }
  }

  private Optional<SimNode> leader() {
    return nodes.stream()
        .filter(SimNode::isUp)
        .filter(node -> node.driver().core().status().role() instanceof Role.Leader)
        .findFirst();
  }

  private Optional<Membership> membership() {
    return leader().map(node -> node.driver().core().status().membership());
  }

  private void later(SimNode node, int microsMax, Runnable action) {
    int life = node.life();
    world.after(
        world.between(10_000, microsMax),
        () -> {
          if (running && (node.life() == life || node.disk().isHung())) {
            action.run();
          }
        });
  }

  private SimNode anyNode() {
    return nodes.get(world.between(0, nodes.size() - 1));
  }
}
