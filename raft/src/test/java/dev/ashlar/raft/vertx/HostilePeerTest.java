package dev.ashlar.raft.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Mutations;
import dev.ashlar.block.Seeds;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.replication.MembershipCodec;
import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What comes on the peer port is a value or is refused by name, whatever it is. */
class HostilePeerTest {

  private static final int RUNS = Integer.getInteger("ashlar.runs", 1) * 20_000;
  private static final MemberId MEMBER = new MemberId(new UUID(1, 2));
  private static final Hello HELLO =
      new Hello(
          Hello.VERSION,
          Hello.Purpose.LOG,
          3,
          new UUID(3, 4),
          MEMBER,
          new MemberId(new UUID(5, 6)),
          "127.0.0.1:8421",
          List.of("127.0.0.1:8421", "127.0.0.1:8422"),
          new UUID(7, 8));

  private final long seed = Seeds.next();
  private final Random random = new Random(seed);

  @Test
  void hellosAndAnswers() {
    Answer answer =
        new Answer(
            Answer.REFUSED, MEMBER, new UUID(1, 1), new UUID(2, 2), ByteBuffer.allocate(32), "no");
    tryAll(List.of(bytes(HELLO.encode())), input -> Hello.decode(ByteBuffer.wrap(input)));
    tryAll(List.of(bytes(answer.encode())), input -> Answer.decode(ByteBuffer.wrap(input)));
  }

  @Test
  void whatMembersSayOfThemselves() {
    String discovery =
        new Discovery(
                MEMBER, Optional.of(new UUID(1, 1)), List.of("127.0.0.1:1"), List.of("a", "b"))
            .encode();
    String view =
        "{\"release\":\"1\",\"term\":3,\"role\":\"leader\",\"peers\":{\""
            + MEMBER
            + "\":{\"match\":7}}}";
    tryAll(List.of(text(discovery)), input -> Discovery.decode(text(input)));
    tryAll(List.of(text(view)), input -> MemberView.decode(text(input)));
    String known =
        new KnownCluster(
                new UUID(1, 1), MEMBER, "127.0.0.1:1", new TreeMap<>(java.util.Map.of(MEMBER, "x")))
            .encode();
    tryAll(List.of(text(known)), input -> KnownCluster.decode(text(input)));
  }

  @Test
  void memberships() {
    TreeMap<MemberId, String> voters = new TreeMap<>();
    voters.put(MEMBER, "127.0.0.1:1");
    voters.put(new MemberId(new UUID(9, 9)), "127.0.0.1:2");
    tryAll(
        List.of(bytes(MembershipCodec.encode(Membership.of(voters)))),
        input -> MembershipCodec.decode(ByteBuffer.wrap(input)));
  }

  @Test
  void framesInPiecesOfAnySize() {
    byte[] frame = Frames.encode(List.of(HELLO.encode())).getBytes();
    tryAll(
        List.of(frame),
        input -> {
          List<ByteBuffer> whole = new ArrayList<>();
          Frames frames = new Frames(1 << 16, whole::add);
          for (int at = 0; at < input.length; ) {
            int end = Math.min(input.length, at + 1 + random.nextInt(50));
            frames.handle(Buffer.buffer(java.util.Arrays.copyOfRange(input, at, end)));
            at = end;
          }
          whole.forEach(Hello::decode);
        });
  }

  private void tryAll(List<byte[]> seeds, Consumer<byte[]> parser) {
    Mutations mutations = new Mutations(seeds, random);
    for (int i = 0; i < RUNS; i++) {
      byte[] input = mutations.next();
      try {
        parser.accept(input);
      } catch (FrameException | MalformedException refusal) {
        assertThat(refusal.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "-Dashlar.seed=" + seed + ": " + HexFormat.of().formatHex(input), e);
      }
    }
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
