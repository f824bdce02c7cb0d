namespace UniFace.Studio.Maps;

/// <summary>How embeddings are projected to two dimensions.</summary>
internal enum MapMethod
{
    /// <summary>Principal components: distances are true in the two directions of largest variance, and lost in all others.</summary>
    Pca,

    /// <summary>t-SNE: keeps neighbors; distances between groups mean little.</summary>
    Tsne,
}

/// <summary>An image on the map.</summary>
/// <param name="Person">Number of its person, from 0.</param>
/// <param name="X">First principal component; without meaning for t-SNE.</param>
/// <param name="Y">Second principal component; without meaning for t-SNE.</param>
internal sealed record MapPoint(int Person, double X, double Y);

/// <summary>Unit embeddings in two dimensions.</summary>
/// <param name="Method">The projection.</param>
/// <param name="Unseen">True if the run did not train on these people; false if it held nobody out.</param>
/// <param name="People">Number of people on the map.</param>
/// <param name="Share">Share of the variance in the two components; null for t-SNE.</param>
/// <param name="Perplexity">Perplexity of t-SNE, about the number of neighbors that count; null for PCA.</param>
/// <param name="Trustworthiness">How far the nearest five on the map are neighbors among the embeddings: 1 entirely, 0.5 by chance.</param>
/// <param name="Checkpoint">Modification time of the checkpoint, UTC.</param>
/// <param name="Points">The images.</param>
internal sealed record EmbeddingMapAnswer(
    MapMethod Method, bool Unseen, int People, double? Share, double? Perplexity, double Trustworthiness, DateTime Checkpoint, IReadOnlyList<MapPoint> Points);
