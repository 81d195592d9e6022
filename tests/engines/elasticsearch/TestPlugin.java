import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.cjk.CJKBigramFilter;
import org.apache.lucene.analysis.core.FlattenGraphFilter;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterIterator;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.AbstractTokenizerFactory;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * What the tests need of Elastic's own modules, which are not to be had as artifacts: the answer to GET /, and the
 * analysis that ProRank's presets name, by Lucene's classes.
 */
public final class TestPlugin extends Plugin implements ActionPlugin, AnalysisPlugin {

    @Override
    public Collection<RestHandler> getRestHandlers(
        Settings settings,
        NamedWriteableRegistry writeables,
        RestController controller,
        ClusterSettings clusterSettings,
        IndexScopedSettings indexSettings,
        SettingsFilter filter,
        IndexNameExpressionResolver resolver,
        Supplier<DiscoveryNodes> nodes,
        Predicate<NodeFeature> features
    ) {
        return List.of(new Greeting());
    }

    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        return Map.of("english", analyzer(EnglishAnalyzer::new), "cjk", analyzer(CJKAnalyzer::new));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "stemmer", filter(settings -> PorterStemFilter::new),
            "flatten_graph", filter(settings -> FlattenGraphFilter::new),
            "cjk_bigram", filter(settings -> CJKBigramFilter::new),
            "remove_duplicates", filter(settings -> RemoveDuplicatesTokenFilter::new),
            "word_delimiter_graph", filter(TestPlugin::wordDelimiter)
        );
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(
            PreConfiguredTokenFilter.singleton("flatten_graph", false, FlattenGraphFilter::new),
            PreConfiguredTokenFilter.singleton("remove_duplicates", false, RemoveDuplicatesTokenFilter::new)
        );
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("pattern", (index, environment, name, settings) -> {
            Pattern pattern = Pattern.compile(settings.get("pattern", "\\W+"));
            int group = settings.getAsInt("group", -1);
            return new AbstractTokenizerFactory(index, settings, name) {
                @Override
                public Tokenizer create() {
                    return new PatternTokenizer(pattern, group);
                }
            };
        });
    }

    private static Function<TokenStream, TokenStream> wordDelimiter(Settings settings) {
        int flags = WordDelimiterGraphFilter.GENERATE_WORD_PARTS | WordDelimiterGraphFilter.GENERATE_NUMBER_PARTS
            | WordDelimiterGraphFilter.SPLIT_ON_CASE_CHANGE | WordDelimiterGraphFilter.SPLIT_ON_NUMERICS;
        if (settings.getAsBoolean("preserve_original", false)) {
            flags |= WordDelimiterGraphFilter.PRESERVE_ORIGINAL;
        }
        if (settings.getAsBoolean("stem_english_possessive", true)) {
            flags |= WordDelimiterGraphFilter.STEM_ENGLISH_POSSESSIVE;
        }
        int chosen = flags;
        byte[] kinds = WordDelimiterIterator.DEFAULT_WORD_DELIM_TABLE;
        return stream -> new WordDelimiterGraphFilter(stream, true, kinds, chosen, null);
    }

    private static AnalysisProvider<TokenFilterFactory> filter(Function<Settings, Function<TokenStream, TokenStream>> of) {
        return (index, environment, name, settings) -> new AbstractTokenFilterFactory(name, settings) {
            private final Function<TokenStream, TokenStream> wrap = of.apply(settings);

            @Override
            public TokenStream create(TokenStream stream) {
                return wrap.apply(stream);
            }
        };
    }

    private static <A extends Analyzer> AnalysisProvider<AnalyzerProvider<? extends Analyzer>> analyzer(Supplier<A> make) {
        return (index, environment, name, settings) -> new AbstractIndexAnalyzerProvider<A>(name, settings) {
            private final A analyzer = make.get();

            @Override
            public A get() {
                return analyzer;
            }
        };
    }

    /** Answers GET / with the fields that clients read. */
    private static final class Greeting extends BaseRestHandler {

        @Override
        public String getName() {
            return "prorank_test_greeting";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
            String version = org.elasticsearch.Build.current().version();
            return channel -> {
                XContentBuilder body = channel.newBuilder().startObject();
                body.field("name", "prorank-test").field("cluster_name", "prorank-test");
                body.startObject("version").field("number", version).field("build_flavor", "default").endObject();
                body.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, body));
            };
        }
    }
}
