package dev.ashlar.raft.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.engine.EngineOptions;
import dev.ashlar.block.engine.EngineReads;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.driver.Features;
import dev.ashlar.raft.replication.ReplicatedBlockStore;
import dev.ashlar.store.memory.MemoryEnvironment;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who connects to a member, and what it may say. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PeerPortTest {

  private static final RaftNodeOptions WITH_SECRET =
      RaftNodeOptions.DEFAULT.secured(
          ClusterSecret.of("secret".getBytes(StandardCharsets.UTF_8)), Optional.empty());

  /** Of the first release. */
  private static final long NO_FEATURES = 0;

  private final Vertx vertx = Vertx.vertx();

  /** One for all, and held: a client that nobody holds closes its connections. */
  private final NetClient client = vertx.createNetClient();

  private RaftNode node;
  private ReplicatedBlockStore store;
  private final List<Caller> callers = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    open(RaftNodeOptions.DEFAULT);
  }

  @AfterEach
  void stop() throws Exception {
    for (Caller caller : callers) {
      await(caller.socket.close());
    }
    node.close();
    await(vertx.close());
  }

  @Test
  void nonsenseIsAnsweredByNameAndHarmsNobody() throws Exception {
    Hello newer =
        new Hello(
            9,
            Hello.Purpose.LOG,
            0,
            Hello.NOBODY,
            new MemberId(Hello.NOBODY),
            new MemberId(Hello.NOBODY),
            "x:1",
            List.of(),
            Hello.NOBODY);
    Buffer broken = Frames.encode(List.of(newer.encode()));
    broken.setByte(20, (byte) (broken.getByte(20) ^ 1));

    assertThat(refusal(Buffer.buffer("GET / HTTP/1.1\r\n\r\n"))).contains("a frame of");
    assertThat(refusal(broken)).contains("checksum");
    assertThat(refusal(Frames.encode(List.of(newer.encode())))).contains("version 9");
    assertThat(store.put(TestBlocks.numbered(1, 10)).isNew()).isTrue();
  }

  @Test
  void whoAsksIsAnsweredOnceAndHungUpOn() throws Exception {
    Caller caller = call();
    caller.greet(hello(Hello.Purpose.DISCOVER, Hello.NOBODY));

    assertThat(Discovery.decode(caller.next().text()).member()).isEqualTo(self());

    assertThat(caller.ends()).isTrue();
  }

  @Test
  void aQuestionGivesNoRoomForLargeFrames() throws Exception {
    Caller caller = call();
    Hello hello = hello(Hello.Purpose.DISCOVER, Hello.NOBODY);
    caller.say(hello.encode());
    assertThat(caller.next().status()).isEqualTo(Answer.WELCOME);
    Buffer proof = Frames.encode(List.of(ByteBuffer.allocate(0)));

    // In one piece, so that it comes before the end.
    caller.socket.write(proof.appendBuffer(Buffer.buffer().appendInt(24 << 20).appendInt(0)));

    List<Answer> rest = caller.rest();
    assertThat(rest).anyMatch(a -> a.text().contains("a frame of 25165824 bytes"));
  }

  @Test
  void thoseWhoAreNoMembersHaveFewLanes() throws Exception {
    List<Caller> strangers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Caller caller = call();
      caller.greet(hello(Hello.Purpose.LOG, cluster(), new MemberId(new UUID(7, i)), Features.ALL));
      assertThat(caller.next().status()).isEqualTo(Answer.WELCOME);
      strangers.add(caller);
    }

    for (Caller oldest : strangers.subList(0, 4)) {
      assertThat(oldest.ends()).isTrue();
    }
    assertThat(strangers.get(4).hasEnded()).isFalse();
    assertThat(store.put(TestBlocks.numbered(1, 10)).isNew()).isTrue();
  }

  @Test
  void membersOfAnotherClusterAreRefusedByName() throws Exception {
    UUID other = new UUID(9, 9);

    Hello hello = hello(Hello.Purpose.CONTROL, other);

    assertThat(refusal(Frames.encode(List.of(hello.encode()))))
        .contains("this member belongs to cluster " + cluster() + ", not to " + other);
  }

  @Test
  void whoIsMeantIsAnotherMember() throws Exception {
    MemberId other = new MemberId(new UUID(9, 9));
    Hello hello =
        new Hello(
            Hello.VERSION,
            Hello.Purpose.CONTROL,
            Features.ALL,
            cluster(),
            new MemberId(new UUID(1, 1)),
            other,
            "127.0.0.1:1",
            List.of(),
            UUID.randomUUID());

    assertThat(refusal(Frames.encode(List.of(hello.encode()))))
        .contains("is reached here, not " + other);
  }

  @Test
  void aHandshakeThatIsReplayedProvesNothing() throws Exception {
    node.close();
    open(WITH_SECRET);
    Hello hello = hello(Hello.Purpose.LOG, cluster());
    Caller member = call();
    ByteBuffer proof = member.greet(hello);
    assertThat(member.next().status()).isEqualTo(Answer.WELCOME);

    Caller replay = call();
    replay.say(hello.encode());
    assertThat(replay.next().status()).isEqualTo(Answer.WELCOME);
    replay.say(proof);

    Answer refused = replay.next();
    assertThat(refused.status()).isEqualTo(Answer.REFUSED);
    assertThat(refused.text()).contains("--cluster-secret-file");
    assertThat(replay.ends()).isTrue();
    assertThat(member.hasEnded()).isFalse();
  }

  @Test
  void aReleaseThatDoesNotKnowWhatTheClusterUsesTakesNoPart() throws Exception {
    Hello older =
        hello(Hello.Purpose.CONTROL, cluster(), new MemberId(new UUID(1, 1)), NO_FEATURES);
    Hello joins = hello(Hello.Purpose.JOIN, cluster(), new MemberId(new UUID(1, 2)), NO_FEATURES);
    assertThat(call().greets(older).text()).isEmpty();
    Block block = TestBlocks.numbered(1, 10);
    store.put(block);

    new Pins(store.roots()).add(new Pin(block.cid(), Pin.Mode.DIRECT, ""));

    while (!call().greets(older).text().contains("pins or references")) {
      Thread.onSpinWait();
    }
    assertThat(call().greets(joins).text()).contains("pins or references");
  }

  private void open(RaftNodeOptions options) throws Exception {
    StorageEngine engine =
        StorageEngine.open(new MemoryEnvironment(1L << 30), EngineOptions.DEFAULT);
    node = new RaftNode(vertx, engine, options);
    store = new ReplicatedBlockStore(node, new EngineReads(engine), Block.BYTES_MAX);
    await(node.start(new Formation.Alone()));
  }

  private MemberId self() throws Exception {
    return await(node.status()).self();
  }

  private UUID cluster() throws Exception {
    return await(node.status()).cluster();
  }

  private Hello hello(Hello.Purpose purpose, UUID cluster) throws Exception {
    return hello(purpose, cluster, new MemberId(new UUID(1, 1)), Features.ALL);
  }

  private Hello hello(Hello.Purpose purpose, UUID cluster, MemberId from, long features)
      throws Exception {
    return new Hello(
        Hello.VERSION,
        purpose,
        features,
        cluster,
        from,
        self(),
        "127.0.0.1:1",
        List.of(),
        UUID.randomUUID());
  }

  /** What is said before the member hangs up. */
  private String refusal(Buffer first) throws Exception {
    Caller caller = call();
    caller.socket.write(first);
    Answer answer = caller.next();
    assertThat(answer.status()).isEqualTo(Answer.REFUSED);
    assertThat(caller.ends()).isTrue();
    return answer.text();
  }

  private Caller call() throws Exception {
    String address = await(node.status()).address();
    int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    Caller caller = new Caller(await(client.connect(port, "127.0.0.1")));
    callers.add(caller);
    return caller;
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Who connects by hand. */
  private static final class Caller {

    private final NetSocket socket;
    private final BlockingQueue<Optional<Answer>> said = new LinkedBlockingQueue<>();

    Caller(NetSocket socket) {
      this.socket = socket;
      Frames frames = new Frames(1 << 20, frame -> said.add(Optional.of(Answer.decode(frame))));
      socket.handler(frames);
      socket.closeHandler(nothing -> said.add(Optional.empty()));
    }

    void say(ByteBuffer frame) {
      socket.write(Frames.encode(List.of(frame.duplicate())));
    }

    /** Through the handshake, with the right secret; the proof that was given. */
    ByteBuffer greet(Hello hello) throws Exception {
      ByteBuffer first = hello.encode();
      say(first);
      Answer challenge = next();
      assertThat(challenge.status()).isEqualTo(Answer.WELCOME);
      boolean isSecured = challenge.proof().hasRemaining();
      ByteBuffer proof =
          (isSecured ? WITH_SECRET : RaftNodeOptions.DEFAULT)
              .secret()
              .proof("client", first, challenge.nonce());
      say(proof);
      return proof;
    }

    /** The last that is said to a hello. */
    Answer greets(Hello hello) throws Exception {
      say(hello.encode());
      Answer challenge = next();
      if (challenge.status() == Answer.REFUSED) {
        return challenge;
      }
      say(ByteBuffer.allocate(0));
      return next();
    }

    Answer next() throws Exception {
      return said.take().orElseThrow();
    }

    /** Whether nothing more is said before the end. */
    boolean ends() throws Exception {
      return said.take().isEmpty();
    }

    List<Answer> rest() throws Exception {
      List<Answer> rest = new ArrayList<>();
      Optional<Answer> answer = said.take();
      while (answer.isPresent()) {
        rest.add(answer.get());
        answer = said.take();
      }
      return rest;
    }

    boolean hasEnded() {
      return said.stream().anyMatch(Optional::isEmpty);
    }
  }
}
