package dev.ashlar.raft.driver;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Reads that wait: first to be confirmed, then for what they have to show to take effect here. Each
 * is answered by its deadline; there is a bound of them.
 */
final class Reads {

  private static final int OPEN_MAX = 100_000;

  private final Map<Long, Read> open = new LinkedHashMap<>();
  private final TreeMap<Long, List<Read>> confirmed = new TreeMap<>();
  private final int deadlineTicks;
  private long nextToken;

  Reads(int deadlineTicks) {
    this.deadlineTicks = deadlineTicks;
  }

  /** The token of a new read, or -1 where there are too many. */
  long add(Consumer<Boolean> done, long now) {
    if (open.size() >= OPEN_MAX) {
      return -1;
    }
    long token = nextToken++;
    open.put(token, new Read(token, done, now + deadlineTicks));
    return token;
  }

  void confirmed(long token, long index, long applied) {
    Read read = open.get(token);
    if (read == null) {
      return;
    }
    if (index <= applied) {
      finish(read, true);
    } else {
      confirmed.computeIfAbsent(index, i -> new ArrayList<>()).add(read);
    }
  }

  /** Whether the token was a read's. */
  boolean rejected(long token) {
    Read read = open.get(token);
    if (read == null) {
      return false;
    }
    finish(read, false);
    return true;
  }

  void applied(long index) {
    while (!confirmed.isEmpty() && confirmed.firstKey() <= index) {
      confirmed.pollFirstEntry().getValue().forEach(read -> finish(read, true));
    }
  }

  void expire(long now) {
    List<Read> late = new ArrayList<>();
    Iterator<Read> each = open.values().iterator();
    while (each.hasNext()) {
      Read read = each.next();
      if (read.deadline > now) {
        break;
      }
      late.add(read);
    }
    late.forEach(read -> finish(read, false));
    if (!late.isEmpty()) {
      confirmed.values().forEach(list -> list.removeAll(late));
      confirmed.values().removeIf(List::isEmpty);
    }
  }

  /** What was confirmed has to be confirmed again, for nobody knows any more what it was. */
  void doubt() {
    confirmed.clear();
  }

  /** The tokens of those that wait to be confirmed, oldest first; only after {@link #doubt()}. */
  List<Long> unconfirmed() {
    return List.copyOf(open.keySet());
  }

  /** Nobody can vouch for any of them any more. */
  void failAll() {
    confirmed.clear();
    List.copyOf(open.values()).forEach(read -> finish(read, false));
  }

  private void finish(Read read, boolean isConfirmed) {
    if (open.remove(read.token) != null) {
      read.done.accept(isConfirmed);
    }
  }

  private record Read(long token, Consumer<Boolean> done, long deadline) {}
}
