package dev.ashlar.server.chaos;

import dev.ashlar.server.client.ClusterClient;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Does harm to a cluster, one or two faults at a time, and mends it again. What takes a copy away
 * for good - a wiped disk, changed bytes - is done to one member while all others have everything,
 * so that a good copy remains; the rest at any time to any members.
 */
final class Nemesis {

  private static final int FAULT_MILLIS_MAX = 6000;
  private static final int REST_MILLIS_MAX = 3000;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(180);
  private static final Set<Fault> ALONE = EnumSet.of(Fault.CALL, Fault.DAMAGE, Fault.CHURN);
  private static final int CALLS_MAX = 200;
  private static final int SLOW_MILLIS = 200;
  private static final int HOUR_SECONDS = 3600;

  private final List<ChaosMember> members;
  private final List<Fault> faults;
  private final Random random;
  private final Consumer<String> log;
  private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);

  /** Whose file was damaged last. */
  private List<ChaosMember> harmed = List.of();

  /** Ends a fault. */
  private interface Mending {
    void mend() throws IOException;
  }

  /**
   * @param members founded and up
   * @param faults which ones to draw from
   * @param log is told what is done
   */
  Nemesis(List<ChaosMember> members, Set<Fault> faults, Random random, Consumer<String> log) {
    this.members = members;
    this.faults = List.copyOf(faults);
    this.random = random;
    this.log = log;
  }

  /** How often each fault was made. */
  Map<Fault, Integer> done() {
    return done;
  }

  /**
   * Does harm until the time is over; then all is mended and every member is up.
   *
   * @param atLeast how often, past the time if need be
   */
  void run(long untilNanos, int atLeast) throws IOException, InterruptedException {
    while (System.nanoTime() - untilNanos < 0 || faultsDone() < atLeast) {
      List<Mending> mendings = new ArrayList<>();
      Fault fault = faults.get(random.nextInt(faults.size()));
      if (ALONE.contains(fault)) {
        awaitAllCaughtUp();
      }
      mendings.add(begin(fault));
      Fault second = faults.get(random.nextInt(faults.size()));
      if (!ALONE.contains(fault) && !ALONE.contains(second) && random.nextBoolean()) {
        mendings.add(begin(second));
      }
      if (!ALONE.contains(fault)) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(FAULT_MILLIS_MAX));
      }
      Collections.shuffle(mendings, random);
      for (Mending mending : mendings) {
        mending.mend();
      }
      revive();
      if (fault == Fault.DAMAGE) {
        // What is damaged may not be come upon for a while: until it is, nobody else is harmed.
        awaitScrubbed(harmed);
      } else if (ALONE.contains(fault)) {
        awaitAllCaughtUp();
      } else {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(REST_MILLIS_MAX));
      }
    }
    awaitAllCaughtUp();
  }

  private int faultsDone() {
    return done.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Waits until every member is up and has what the leader has. */
  void awaitAllCaughtUp() throws IOException, InterruptedException {
    revive();
    long[] index = {0};
    await(
        "every member to be up, settled and a voter",
        () -> {
          OptionalLong highest = settledAt();
          index[0] = highest.orElse(0);
          return highest.isPresent();
        });
    await("every member to have entry " + index[0], () -> haveAllApplied(index[0]));
  }

  /**
   * Waits until every member has read all that it has, from the beginning, once after this: what
   * that finds may have it replaced, and then the new one has to have everything, and to read it.
   */
  void awaitScrubbed() throws IOException, InterruptedException {
    awaitScrubbed(members);
  }

  private void awaitScrubbed(List<ChaosMember> which) throws IOException, InterruptedException {
    awaitAllCaughtUp();
    Map<String, Long> due = new HashMap<>();
    await(
        "members to have read all that they have",
        () -> which.stream().allMatch(member -> hasScrubbed(member, due)));
    awaitAllCaughtUp();
  }

  /** One round may have begun before. */
  private static boolean hasScrubbed(ChaosMember member, Map<String, Long> due) {
    Optional<JsonObject> status = member.process().status();
    if (status.isEmpty()) {
      return false;
    }
    long rounds = status.get().getJsonObject("scrub").getLong("rounds");
    String life = member.process().name() + status.get().getString("self");
    return rounds >= due.computeIfAbsent(life, first -> rounds + 2);
  }

  private Mending begin(Fault fault) throws IOException, InterruptedException {
    done.merge(fault, 1, Integer::sum);
    return switch (fault) {
      case KILL -> kill();
      case STOP -> stop();
      case PAUSE -> pause();
      case PARTITION -> partition();
      case FULL -> full();
      case HANG -> hang();
      case POWER -> power();
      case CALL -> failCall();
      case SLOW -> slow();
      case CLOCK -> stepClock();
      case DAMAGE -> damage();
      case CHURN -> churn();
    };
  }

  private Mending kill() {
    List<ChaosMember> victims = ready(someOrMany());
    say("kill -9", victims);
    victims.forEach(victim -> victim.process().kill());
    return this::revive;
  }

  private Mending stop() {
    ChaosMember victim = oneOrLeader();
    if (!victim.isPaused() && !victim.isFrozen()) {
      say("stop", List.of(victim));
      int status = victim.process().terminate();
      log.accept(victim.process().name() + " ended with status " + status);
    }
    return this::revive;
  }

  private Mending pause() throws IOException {
    List<ChaosMember> victims = someOrMany();
    say("pause", victims);
    for (ChaosMember victim : victims) {
      victim.pause();
    }
    return () -> {
      for (ChaosMember victim : victims) {
        victim.resume();
      }
    };
  }

  private Mending partition() {
    ChaosMember victim = oneOrLeader();
    int how = random.nextInt(5);
    switch (how) {
      case 0 -> {
        say("hears nobody", List.of(victim));
        victim.proxy().cut(sender -> true);
      }
      case 1 -> {
        say("is heard by nobody", List.of(victim));
        cutFrom(victim, sender -> true);
      }
      case 2 -> {
        say("cut off", List.of(victim));
        victim.proxy().cut(sender -> true);
        cutFrom(victim, sender -> true);
      }
      case 3 -> {
        say("its log lane dead", List.of(victim));
        cutFrom(victim, sender -> sender.purpose() == PeerProxy.LOG_LANE);
      }
      default -> split();
    }
    boolean late = random.nextBoolean();
    return () -> {
      for (ChaosMember member : members) {
        member.proxy().heal(late);
      }
    };
  }

  private void cutFrom(ChaosMember victim, Predicate<PeerProxy.Sender> connection) {
    for (ChaosMember member : members) {
      if (member != victim) {
        member
            .proxy()
            .cut(sender -> sender.address().equals(victim.address()) && connection.test(sender));
      }
    }
  }

  private void split() {
    List<ChaosMember> shuffled = new ArrayList<>(members);
    Collections.shuffle(shuffled, random);
    List<ChaosMember> half = shuffled.subList(0, 1 + random.nextInt(members.size() - 1));
    List<String> inside = half.stream().map(ChaosMember::address).toList();
    say("cut from the others", half);
    for (ChaosMember member : members) {
      boolean isInside = inside.contains(member.address());
      member.proxy().cut(sender -> inside.contains(sender.address()) != isInside);
    }
  }

  private Mending full() throws IOException {
    List<ChaosMember> victims = ready(someOrMany()).stream().filter(ChaosMember::hasDisk).toList();
    say("disk full", victims);
    for (ChaosMember victim : victims) {
      victim.fillDisk();
    }
    return () -> {
      for (ChaosMember victim : victims) {
        victim.freeDisk();
      }
    };
  }

  private Mending hang() throws IOException {
    ChaosMember victim = oneOrLeader();
    if (victim.hasDisk()) {
      say("disk stands still", List.of(victim));
      victim.freeze();
    }
    return victim::thaw;
  }

  private Mending power() throws IOException {
    List<ChaosMember> victims = ready(someOrMany()).stream().filter(ChaosMember::hasDisk).toList();
    say("power cut", victims);
    for (ChaosMember victim : victims) {
      victim.cutPower();
    }
    return this::revive;
  }

  /** The member ends over it, or tells its clients; it must not go on as if nothing were. */
  private Mending failCall() throws InterruptedException {
    ChaosMember victim = oneOrLeader();
    Shim.Control.Failure[] failures = Shim.Control.Failure.values();
    Shim.Control.Failure failure = failures[random.nextInt(failures.length)];
    int call = 1 + random.nextInt(CALLS_MAX);
    Shim.Control shim = victim.shim().orElseThrow();
    long before = shim.failed();
    say(failure + " at call " + call + " from now", List.of(victim));
    shim.fail(call, failure);
    TimeUnit.MILLISECONDS.sleep(random.nextInt(FAULT_MILLIS_MAX));
    shim.failNone();
    log.accept(
        victim.process().name()
            + (shim.failed() > before ? " had its call fail" : " did not come so far")
            + (victim.process().isUp() ? " and goes on" : " and ended"));
    return this::revive;
  }

  /** It is let run for an instant now and then. */
  private Mending slow() throws IOException, InterruptedException {
    ChaosMember victim = oneOrLeader();
    if (victim.isPaused()) {
      return () -> {};
    }
    say("slowed to a hundredth", List.of(victim));
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(FAULT_MILLIS_MAX));
    while (System.nanoTime() - end < 0) {
      victim.pause();
      TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
      victim.resume();
    }
    return () -> {};
  }

  private Mending stepClock() {
    List<ChaosMember> victims = someOrMany();
    int seconds = random.nextBoolean() ? HOUR_SECONDS : -HOUR_SECONDS;
    say("wall clock steps by " + seconds + " s", victims);
    victims.forEach(victim -> victim.shim().orElseThrow().setClock(seconds));
    return () -> {
      log.accept("wall clocks step back");
      victims.forEach(victim -> victim.shim().orElseThrow().setClock(0));
    };
  }

  private Mending damage() throws IOException {
    ChaosMember victim = oneOrLeader();
    victim.process().kill();
    say("kill -9, and " + Damage.toOneOf(victim.process().data(), random), List.of(victim));
    harmed = List.of(victim);
    return this::revive;
  }

  private Mending churn() throws IOException, InterruptedException {
    ChaosMember victim = oneOrLeader();
    if (random.nextBoolean()) {
      say("kill -9, and wiped", List.of(victim));
      victim.process().kill();
      rejoin(victim);
      return () -> {};
    }
    say("removed, wiped and added", List.of(victim));
    await("the removal of " + victim.process().name(), () -> removed(victim));
    victim.process().kill();
    rejoin(victim);
    return () -> {};
  }

  private boolean removed(ChaosMember victim) {
    for (ChaosMember member : members) {
      if (member != victim) {
        try {
          Optional<JsonObject> status = member.process().status();
          boolean isMember =
              status.isEmpty()
                  || status.get().getBoolean("changing")
                  || addresses(status.get()).contains(victim.address());
          if (!isMember) {
            return true;
          }
          new ClusterClient(URI.create(member.process().url()), Optional.empty())
              .remove(victim.address());
        } catch (IOException | RuntimeException e) {
          // Not now; it is asked for again.
        }
      }
    }
    return false;
  }

  private static List<String> addresses(JsonObject status) {
    List<String> addresses = new ArrayList<>();
    for (Object member : status.getJsonArray("members")) {
      addresses.add(((JsonObject) member).getString("address"));
    }
    return addresses;
  }

  private void rejoin(ChaosMember victim) throws IOException {
    victim.wipe();
    victim.join(members.stream().filter(m -> m != victim).map(ChaosMember::address).toList());
  }

  /** Starts who is down, as a supervisor does. A member that is damaged replaces itself. */
  private void revive() throws IOException {
    for (ChaosMember member : members) {
      if (!member.process().isUp()) {
        member.process().start();
      }
    }
  }

  /** The highest index that any has applied, once all are settled voters of one cluster. */
  private OptionalLong settledAt() {
    long highest = 0;
    for (ChaosMember member : members) {
      Optional<JsonObject> status = member.process().status().filter(this::isSettled);
      if (status.isEmpty()) {
        return OptionalLong.empty();
      }
      highest = Math.max(highest, status.get().getLong("appliedIndex"));
    }
    return highest == 0 ? OptionalLong.empty() : OptionalLong.of(highest);
  }

  private boolean isSettled(JsonObject status) {
    return status.getString("leader") != null
        && !status.getBoolean("changing")
        && !status.getBoolean("installing")
        && addresses(status).size() == members.size()
        && voters(status) == members.size();
  }

  private boolean haveAllApplied(long index) {
    return members.stream()
        .allMatch(
            member ->
                member
                    .process()
                    .status()
                    .filter(status -> status.getLong("appliedIndex") >= index)
                    .isPresent());
  }

  private static long voters(JsonObject status) {
    return status.getJsonArray("members").stream()
        .filter(member -> ((JsonObject) member).getString("kind").equals("voter"))
        .count();
  }

  /** Those that a file system which stands still would not keep from ending. */
  private static List<ChaosMember> ready(List<ChaosMember> victims) {
    return victims.stream().filter(victim -> !victim.isFrozen()).toList();
  }

  private List<ChaosMember> someOrMany() {
    int dice = random.nextInt(10);
    if (dice < 7) {
      return List.of(oneOrLeader());
    }
    List<ChaosMember> shuffled = new ArrayList<>(members);
    Collections.shuffle(shuffled, random);
    return dice < 9 ? shuffled.subList(0, members.size() / 2 + 1) : shuffled;
  }

  private ChaosMember oneOrLeader() {
    ChaosMember any = members.get(random.nextInt(members.size()));
    if (random.nextBoolean()) {
      return any;
    }
    return members.stream()
        .filter(m -> !m.isPaused())
        .filter(
            m -> m.process().status().filter(s -> "leader".equals(s.getString("role"))).isPresent())
        .findFirst()
        .orElse(any);
  }

  private void await(String what, BooleanSupplier condition)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - until > 0) {
        throw new IOException("waited in vain for " + what + "; they say " + statuses());
      }
      revive();
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private List<String> statuses() {
    return members.stream()
        .map(
            member ->
                member.process().name()
                    + " "
                    + member.process().status().map(JsonObject::encode).orElse("nothing"))
        .toList();
  }

  private void say(String what, List<ChaosMember> victims) {
    log.accept(what + ": " + victims.stream().map(m -> m.process().name()).toList());
  }
}
