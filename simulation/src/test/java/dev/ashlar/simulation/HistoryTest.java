package dev.ashlar.simulation;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class HistoryTest {

  private final History history = new History();

  @Test
  void aReadAfterAnAcknowledgedPutMustFindIt() {
    History.Operation put = history.begin(0, History.Kind.PUT);
    history.end(put, History.End.CHANGED);
    History.Operation read = history.begin(0, History.Kind.READ);
    history.end(read, History.End.ABSENT);

    assertThatThrownBy(history::check).isInstanceOf(Violation.class);
  }

  @Test
  void aReadBesideAPutMayFindItOrNot() {
    for (History.End seen : new History.End[] {History.End.PRESENT, History.End.ABSENT}) {
      History each = new History();
      History.Operation put = each.begin(0, History.Kind.PUT);
      History.Operation read = each.begin(0, History.Kind.READ);
      each.end(read, seen);
      each.end(put, History.End.CHANGED);

      assertThatCode(each::check).doesNotThrowAnyException();
    }
  }

  @Test
  void readsDoNotGoBackInTime() {
    History.Operation put = history.begin(0, History.Kind.PUT);
    History.Operation first = history.begin(0, History.Kind.READ);
    history.end(first, History.End.PRESENT);
    History.Operation second = history.begin(0, History.Kind.READ);
    history.end(second, History.End.ABSENT);
    history.end(put, History.End.CHANGED);

    assertThatThrownBy(history::check).isInstanceOf(Violation.class);
  }

  @Test
  void aPutWithAnUnknownEndMayTakeEffectAtAnyLaterTimeOrNever() {
    history.begin(0, History.Kind.PUT);
    History.Operation first = history.begin(0, History.Kind.READ);
    history.end(first, History.End.ABSENT);
    History.Operation second = history.begin(0, History.Kind.READ);
    history.end(second, History.End.PRESENT);

    assertThatCode(history::check).doesNotThrowAnyException();

    History.Operation third = history.begin(0, History.Kind.READ);
    history.end(third, History.End.ABSENT);

    assertThatThrownBy(history::check).isInstanceOf(Violation.class);
  }

  @Test
  void whatWasNotDoneHasNoEffect() {
    History.Operation put = history.begin(0, History.Kind.PUT);
    history.end(put, History.End.NOT_DONE);
    History.Operation read = history.begin(0, History.Kind.READ);
    history.end(read, History.End.PRESENT);

    assertThatThrownBy(history::check).isInstanceOf(Violation.class);
  }

  @Test
  void onlyOneOfTwoPutsIsNew() {
    History.Operation first = history.begin(0, History.Kind.PUT);
    History.Operation second = history.begin(0, History.Kind.PUT);
    history.end(first, History.End.CHANGED);
    history.end(second, History.End.CHANGED);

    assertThatThrownBy(history::check).isInstanceOf(Violation.class);
  }

  @Test
  void blocksAreIndependent() {
    History.Operation put = history.begin(0, History.Kind.PUT);
    history.end(put, History.End.CHANGED);
    History.Operation read = history.begin(1, History.Kind.READ);
    history.end(read, History.End.ABSENT);

    assertThatCode(history::check).doesNotThrowAnyException();
  }
}
