import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * mongo-java-server with its oplog on, so that it has change streams. It answers a getMore that finds nothing at once;
 * here it waits for `maxTimeMS`, as MongoDB does, or no connection of a change stream would ever be silent.
 */
public final class MongoWithOplog extends MemoryBackend {
    private static final int BOSS_THREADS = 1;
    /** A waiting getMore holds a thread, and connections share them in turn. */
    private static final int WORKER_THREADS = 256;
    private static final long DEFAULT_AWAIT_MS = 1000;

    /** That of MongoDB 5.0. The server names its own too low for today's drivers. */
    private static final int WIRE_VERSION = 13;

    public static void main(String[] args) {
        MongoServer server = new MongoServer(new MongoWithOplog().version(new WireVersion()));
        server.enableOplog();
        server.bind(new InetSocketAddress("0.0.0.0", Integer.parseInt(args[0])), BOSS_THREADS, WORKER_THREADS);
        System.out.println("listening");
    }

    @Override
    public synchronized Document handleCommand(Channel channel, String database, String command, Document query) {
        Document answer = super.handleCommand(channel, database, command, query);
        notifyAll();
        return answer;
    }

    @Override
    protected synchronized Document handleGetMore(String database, String command, Document query) {
        Number await = (Number) query.getOrDefault("maxTimeMS", DEFAULT_AWAIT_MS);
        long end = System.nanoTime() + await.longValue() * 1_000_000;
        for (;;) {
            Document answer = super.handleGetMore(database, command, query);
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0 || !isEmpty(answer)) return answer;
            try {
                wait(left);
            } catch (InterruptedException e) {
                return answer;
            }
        }
    }

    private static final class WireVersion implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return ServerVersion.MONGO_5_0.getVersionArray();
        }

        @Override
        public int getWireVersion() {
            return WIRE_VERSION;
        }
    }

    private static boolean isEmpty(Document answer) {
        Document cursor = (Document) answer.get("cursor");
        return ((List<?>) cursor.get("nextBatch")).isEmpty();
    }
}
