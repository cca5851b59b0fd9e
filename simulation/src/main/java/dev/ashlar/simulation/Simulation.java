package dev.ashlar.simulation;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.engine.VerifyReport;
import dev.ashlar.block.history.BlockHistory;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.raft.core.CoreOptions;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.DriverOptions;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.driver.ScrubOptions;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * One run: a cluster, clients and faults, all drawn from a seed. First faults come while every
 * property is checked after every step (safety); then they stop, and the cluster must agree and
 * serve (liveness).
 */
public final class Simulation implements Observer {

  private static final long CONVERGENCE_MICROS = 60_000_000;

  /** By then a log is compacted that nothing is appended to. */
  private static final long REST_MICROS = 9_000_000;

  private final World world;
  private final List<SimNode> nodes = new ArrayList<>();
  private final List<SimClient> clients = new ArrayList<>();
  private final BlockHistory history = new BlockHistory();
  private final CommitSafety commits = new CommitSafety();
  private final List<Observer> invariants =
      List.of(
          new ElectionSafety(),
          new LogHistory(),
          commits,
          new StateMachineSafety(),
          new DurableBeforeAck(),
          new OneVotePerTerm(),
          new MembershipIsFoldOfLog());
  private final SimNetwork network;
  private final Faults faults;
  private final boolean scrubs;
  private final long faultMicros;
  private long installs;

  /**
   * @param seed everything follows from it
   * @param tracer is given a line for everything that happens
   */
  public Simulation(long seed, Consumer<String> tracer) {
    this.world = new World(seed, tracer);
    this.network = new SimNetwork(world, this);
    int voters = world.between(1, 5);
    int spares = world.between(0, 2);
    DriverOptions options = options();
    this.scrubs = options.scrub().bytesPerTick() > 0;
    EngineOptions engine =
        new EngineOptions(world.between(1, 40), world.between(1, 8), world.between(1, 20));
    UUID cluster = new UUID(0, seed);
    for (int i = 0; i < voters + spares; i++) {
      SimNode node = new SimNode(world, i, network, this, options, engine, cluster);
      network.register(node.member(), node);
      nodes.add(node);
    }
    Map<MemberId, String> founders = new TreeMap<>();
    nodes.subList(0, voters).forEach(node -> founders.put(node.member(), node.address()));
    nodes.subList(0, voters).forEach(node -> node.found(Membership.of(founders)));
    nodes.subList(voters, nodes.size()).forEach(SimNode::join);
    List<Block> blocks = new ArrayList<>();
    int kinds = world.between(1, 8);
    for (int i = 0; i < kinds; i++) {
      byte[] bytes = new byte[world.between(0, 300)];
      world.random().nextBytes(bytes);
      blocks.add(Block.copyOf(bytes));
    }
    List<Block> distinct = blocks.stream().distinct().toList();
    int clientsMax = world.between(1, 5);
    for (int i = 0; i < clientsMax; i++) {
      clients.add(new SimClient(world, nodes, distinct, history));
    }
    this.faults = new Faults(world, nodes, voters, network);
    this.faultMicros = world.between(2_000_000, 40_000_000);
  }

  /**
   * Runs it.
   *
   * @throws Violation when a property did not hold, or the cluster did not come to agree
   */
  public Result run() {
    nodes.forEach(SimNode::start);
    clients.forEach(SimClient::start);
    faults.start();
    runUntil(faultMicros);
    faults.stopAndHeal();
    clients.forEach(SimClient::askReadyNodes);
    long deadline = world.nowMicros() + CONVERGENCE_MICROS;
    converge(deadline);
    int before = answered();
    int writtenBefore = written();
    while (answered() < before + 5 * clients.size()
        || written() < writtenBefore + 2 * clients.size()) {
      runUntil(world.nowMicros() + 200_000);
      requireTime(deadline, "clients are not served");
    }
    clients.forEach(SimClient::stop);
    converge(deadline);
    if (world.chance(0.3)) {
      takeNewcomer();
    }
    faults.rotting().forEach(this::mend);
    compareReplicas();
    history
        .contradiction()
        .ifPresent(
            what -> {
              throw new Violation("Linearizability", what);
            });
    return new Result(world.traceHash(), history.size(), commits.highest(), installs);
  }

  /**
   * What a run came to.
   *
   * @param traceHash of everything that happened, in order
   * @param operations of clients
   * @param commitIndex the highest
   * @param installs how many snapshots were installed
   */
  public record Result(long traceHash, int operations, long commitIndex, long installs) {}

  @Override
  public void started(SimNode node) {
    invariants.forEach(each -> each.started(node));
  }

  @Override
  public void crashed(SimNode node) {
    invariants.forEach(each -> each.crashed(node));
  }

  @Override
  public void wentBack(SimNode node) {
    invariants.forEach(each -> each.wentBack(node));
  }

  @Override
  public void sent(SimNode from, MemberId to, PeerMessage message) {
    if (message.lane() == Lane.BULK) {
      world.note(from.address() + " → " + to + " " + message.getClass().getSimpleName());
    }
    invariants.forEach(each -> each.sent(from, to, message));
  }

  @Override
  public void changed(SimNode node, Ready.Status status) {
    world.note(node.address() + " " + status.term() + " " + status.role());
    invariants.forEach(each -> each.changed(node, status));
  }

  @Override
  public void applied(SimNode node, StorageEngine.Applied applied) {
    invariants.forEach(each -> each.applied(node, applied));
  }

  @Override
  public void wrote(SimNode node, Replica replica) {
    invariants.forEach(each -> each.wrote(node, replica));
  }

  @Override
  public void stepped(SimNode node) {
    invariants.forEach(each -> each.stepped(node));
  }

  private DriverOptions options() {
    CoreOptions core =
        new CoreOptions(
            2,
            6,
            12,
            world.between(1, 2000),
            world.between(1, 20),
            world.between(1, 4000),
            world.between(1, 10),
            world.between(0, 500),
            world.between(500, 100_000));
    return new DriverOptions(
        core,
        world.between(1, 3000),
        world.between(0, 5000),
        world.between(1, 10),
        100,
        world.between(500, 100_000),
        world.between(2, 60),
        world.between(2_000, 100_000),
        world.between(20, 200),
        world.between(1, 5),
        world.between(1, 500),
        50,
        world.between(2_000, 100_000),
        1000,
        new ScrubOptions(world.between(0, 1) * 100L, 500, 20, 50));
  }

  /** A cluster at rest has compacted its log to the end; who is new comes to have everything. */
  private void takeNewcomer() {
    runUntil(world.nowMicros() + REST_MICROS);
    Optional<SimNode> newcomer = faults.bringNewcomer();
    if (newcomer.isPresent()) {
      world.note("newcomer " + newcomer.get().address());
      long deadline = world.nowMicros() + CONVERGENCE_MICROS;
      while (!newcomer.get().isUp()
          || newcomer.get().driver().core().status().membership().members().isEmpty()
          || newcomer.get().driver().applied() < commits.highest()) {
        faults.repair();
        runUntil(world.nowMicros() + 100_000);
        requireTime(deadline, "a newcomer has not come to have everything");
      }
    }
  }

  /**
   * A rotten replica that is still a member is mended by the others, block by block. It may have
   * come upon its damage only while the cluster was at rest, and be replaced now. Where it scrubs,
   * and can be replaced, nothing is left of what was done to it.
   */
  private void mend(SimNode node) {
    long deadline = world.nowMicros() + CONVERGENCE_MICROS;
    converge(deadline);
    if (isMadeSound(node) && world.chance(0.5)) {
      hideARow(node, deadline);
    }
    VerifyReport report = node.engine().audit().verify(bytes -> {});
    while (isMadeSound(node) ? !report.isSound() : !report.damaged().isEmpty()) {
      report.damaged().forEach(cid -> node.driver().copy(cid, block -> {}));
      runUntil(world.nowMicros() + 300_000);
      converge(deadline);
      requireTime(deadline, node.address() + " is not mended: " + report);
      report = node.engine().audit().verify(bytes -> {});
    }
  }

  /** When everything is answered that was asked: until the row is missed, reads do not find it. */
  private void hideARow(SimNode node, long deadline) {
    runUntil(world.nowMicros() + REST_MICROS);
    converge(deadline);
    if (isMadeSound(node) && isAtRest()) {
      world.note("a row is hidden on " + node.address());
      node.disk().hide(world);
    }
  }

  private boolean isAtRest() {
    return nodes.stream()
        .allMatch(
            each ->
                each.driver().applied() == each.driver().core().last().index()
                    && each.driver().core().last().index() <= commits.highest());
  }

  private boolean isMadeSound(SimNode node) {
    return scrubs && node.driver().core().status().membership().voters().size() >= 3;
  }

  private void runUntil(long micros) {
    while (world.step(micros)) {
      // Each step checks itself.
    }
  }

  /** Everybody in the membership has applied all that is committed, under one leader. */
  private void converge(long deadline) {
    while (!hasConverged()) {
      // A failure of before may be told only now.
      faults.repair();
      runUntil(world.nowMicros() + 100_000);
      requireTime(deadline, "no agreement");
    }
  }

  private boolean hasConverged() {
    if (!nodes.stream().allMatch(SimNode::isUp)) {
      return false;
    }
    Optional<SimNode> leader =
        nodes.stream()
            .filter(node -> node.driver().core().status().role() instanceof Role.Leader)
            .max((a, b) -> Long.compare(term(a), term(b)));
    if (leader.isEmpty() || !leader.get().driver().core().isSettledLeader()) {
      return false;
    }
    Membership membership = leader.get().driver().core().status().membership();
    if (membership.isJoint()) {
      return false;
    }
    long commit = leader.get().driver().core().commitIndex();
    boolean quiet = clients.stream().allMatch(client -> !client.isRunning());
    return nodes.stream()
        .filter(node -> membership.contains(node.member()))
        .allMatch(
            node ->
                node.driver().applied() >= (quiet ? commit : Math.max(0, commit - 20))
                    && term(node) == term(leader.get()));
  }

  private static long term(SimNode node) {
    return node.driver().core().status().term();
  }

  private int answered() {
    return clients.stream().mapToInt(SimClient::answered).sum();
  }

  private int written() {
    return clients.stream().mapToInt(SimClient::written).sum();
  }

  private void requireTime(long deadline, String what) {
    if (world.nowMicros() > deadline) {
      StringBuilder seen = new StringBuilder(what).append(" long after all faults ended:");
      for (SimNode node : nodes) {
        seen.append("\n  ").append(node.address()).append(' ').append(node.member());
        if (node.isUp()) {
          seen.append(' ')
              .append(node.driver().core().status().term())
              .append(' ')
              .append(node.driver().core().status().role())
              .append(" voters ")
              .append(node.driver().core().status().membership().voters())
              .append(" target ")
              .append(node.driver().core().status().membership().target())
              .append(" last ")
              .append(node.driver().core().last())
              .append(" commit ")
              .append(node.driver().core().commitIndex())
              .append(" applied ")
              .append(node.driver().applied())
              .append(" base ")
              .append(node.driver().core().base())
              .append(" peers ")
              .append(node.driver().core().peers());
        }
      }
      throw new Violation("Convergence", seen.toString());
    }
  }

  /** All replicas that have applied the same show the same. */
  private void compareReplicas() {
    Map<Long, List<Object>> seen = new TreeMap<>();
    for (SimNode node : nodes) {
      if (node.engine().status().generation() > 0) {
        installs += node.engine().status().generation();
      }
      List<String> findings = node.engine().audit().verify(bytes -> {}).findings();
      // Without a scrub nobody has looked for what damage has left behind.
      boolean isExcused = faults.rotting().contains(node) && !isMadeSound(node);
      if (!findings.isEmpty() && !isExcused) {
        throw new Violation(
            "SoundStore", node.address() + ": " + findings + " " + node.engine().status());
      }
      List<Object> entries =
          new ArrayList<>(node.engine().list(BlockCursor.START, 10_000).entries());
      try {
        RootKey names = RootKey.of(RootKey.Kind.REFERENCE, new byte[0]);
        entries.addAll(node.engine().roots(names, Optional.empty(), 10_000));
      } catch (StoreDamagedException e) {
        // One of the findings.
        continue;
      }
      List<Object> before = seen.putIfAbsent(node.engine().status().applied(), entries);
      if (before != null && !before.equals(entries)) {
        throw new Violation(
            "ReplicasAgree", node.address() + " shows " + entries + ", others " + before);
      }
    }
  }
}
