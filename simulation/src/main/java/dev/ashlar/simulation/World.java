package dev.ashlar.simulation;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Virtual time, the order of events, and the one source of chance. */
final class World {

  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final SplittableRandom random;
  private final Consumer<String> tracer;
  private long nowMicros;
  private long sequence;
  private long traceHash = 17;

  World(long seed, Consumer<String> tracer) {
    this.random = new SplittableRandom(seed);
    this.tracer = tracer;
  }

  SplittableRandom random() {
    return random;
  }

  long nowMicros() {
    return nowMicros;
  }

  /** A hash of everything that has been noted, in order. */
  long traceHash() {
    return traceHash;
  }

  void after(long micros, Runnable action) {
    events.add(new Event(nowMicros + Math.max(0, micros), sequence++, action));
  }

  /** Lets the next event happen; false when there is none before a time. */
  boolean step(long untilMicros) {
    Event next = events.peek();
    if (next == null || next.atMicros > untilMicros) {
      nowMicros = untilMicros;
      return false;
    }
    events.remove();
    nowMicros = next.atMicros;
    next.action.run();
    return true;
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  /** A number from one to another, both possible. */
  int between(int least, int most) {
    return least + random.nextInt(most - least + 1);
  }

  void note(String what) {
    traceHash = traceHash * 1_000_003 + what.hashCode() * 31L + nowMicros;
    tracer.accept(String.format("%10.3f ms  %s", nowMicros / 1000.0, what));
  }

  private record Event(long atMicros, long sequence, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(atMicros, other.atMicros);
      return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
    }
  }
}
