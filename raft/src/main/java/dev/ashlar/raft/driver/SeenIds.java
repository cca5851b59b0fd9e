package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;

/** Ids of forwarded requests that came lately, so that one that comes twice is done once. */
final class SeenIds {

  private static final int PER_MEMBER_MAX = 10_000;

  private final Map<MemberId, LinkedHashSet<Long>> seen = new HashMap<>();

  /** Whether this is the first time that the id comes from the member. */
  boolean isFirst(MemberId from, long id) {
    LinkedHashSet<Long> ids = seen.computeIfAbsent(from, m -> new LinkedHashSet<>());
    boolean isFirst = ids.add(id);
    if (ids.size() > PER_MEMBER_MAX) {
      ids.remove(ids.iterator().next());
    }
    return isFirst;
  }
}
