package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ByteBudgetTest {

  private final ByteBudget budget = new ByteBudget(100);
  private final List<String> admitted = new ArrayList<>();

  @Test
  void whatHasNoRoomWaitsBehindThoseWhoCameBefore() {
    ByteBudget.Claim first = claim("first", 60);
    claim("second", 60);
    claim("third", 10);

    assertThat(admitted).containsExactly("first");

    budget.end(first);

    assertThat(admitted).containsExactly("first", "second", "third");
    assertThat(budget.held()).isEqualTo(70);
  }

  @Test
  void whoGivesUpWaitingHoldsNothingUp() {
    ByteBudget.Claim first = claim("first", 60);
    ByteBudget.Claim second = claim("second", 60);
    claim("third", 60);

    budget.end(second);
    budget.end(first);

    assertThat(admitted).containsExactly("first", "third");
    assertThat(budget.held()).isEqualTo(60);
  }

  @Test
  void whatIsLargerThanAllIsAdmittedAlone() {
    ByteBudget.Claim first = claim("first", 1);
    ByteBudget.Claim huge = claim("huge", 1000);
    claim("third", 1);

    budget.end(first);

    assertThat(admitted).containsExactly("first", "huge");

    budget.end(huge);

    assertThat(admitted).containsExactly("first", "huge", "third");
    assertThat(budget.held()).isEqualTo(1);
  }

  @Test
  void whatMayNotWaitGoesWithout() {
    claim("first", 60);

    assertThat(budget.take(41)).isFalse();
    assertThat(budget.take(40)).isTrue();

    budget.give(40);

    assertThat(budget.held()).isEqualTo(60);
  }

  private ByteBudget.Claim claim(String name, long bytes) {
    return budget.claim(bytes, () -> admitted.add(name));
  }
}
