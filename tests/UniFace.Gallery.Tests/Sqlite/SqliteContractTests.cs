using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>The SQLite gallery keeps the contract of every stored gallery.</summary>
public sealed class SqliteContractTests : StoredGalleryContractTests, IDisposable
{
    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    protected override Task<string> CreateAsync(PersonScore scoring = PersonScore.Best, bool crops = false, int size = 8) =>
        Task.FromResult(folder.Create(scoring, crops, size: size));

    private protected override async Task<StoredGallery> OpenAsync(string gallery) => await SqliteGallery.OpenAsync(gallery);
}
