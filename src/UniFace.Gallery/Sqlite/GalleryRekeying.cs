using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>Another key for a gallery, a first one, or none.</summary>
public sealed partial class SqliteGallery
{
    // In what a gallery says of itself: bytes under the old key may still lie in unused parts of the file, in the log or in an index.
    private const string RekeyedNote = "unerased";

    private const int RekeyPage = 256;

    /// <summary>
    /// Encrypts all records with another key in one transaction, so that a kill leaves them under the old key or under the new one; then erases what was under
    /// the old key from the files. Whoever has the gallery open must open it again; this object does too.
    /// </summary>
    /// <param name="key">The new key; null to store in the clear.</param>
    /// <param name="cancellationToken">Stops it; the old key stays then.</param>
    /// <exception cref="UniFaceException">
    /// A record is damaged, another process writes; or, after the new key is set, the old bytes cannot be erased now.
    /// </exception>
    public async Task RekeyAsync(GalleryKey? key, CancellationToken cancellationToken = default)
    {
        using RecordCipher next = new(info.Id, key);
        GalleryRecords to = new(Path, next);
        await database.WriteAsync(
            connection =>
            {
                EnsureModel(connection);
                Each(connection, "SELECT id, name_key, name FROM person WHERE id > $last ORDER BY id LIMIT $page", row =>
                {
                    string name = records.PersonName((long)row[0], (byte[])row[1], row[2] as byte[]);
                    to.PutName(connection, (long)row[0], name);
                });
                Each(connection, "SELECT id, person, embedding, checksum, source, photo FROM template WHERE id > $last ORDER BY id LIMIT $page", row =>
                {
                    (long id, long person, float[] embedding) = ((long)row[0], (long)row[1], new float[info.EmbeddingSize]);
                    if (records.Fault(id, person, (byte[])row[2], (long)row[3], info, embedding) is string fault)
                    {
                        string name = records.PersonNames(connection, [person]).GetValueOrDefault(person, "somebody");
                        throw new UniFaceException($"{Path}: {EmbeddingCheck.Damaged(name, id, fault)}; nothing was changed.");
                    }

                    byte[] stored = to.Seal(id, person, embedding);
                    GalleryDatabase.Run(
                        connection,
                        "UPDATE template SET embedding = $embedding, checksum = $checksum, source = $source, photo = $photo WHERE id = $id",
                        ("$id", id),
                        ("$embedding", stored),
                        ("$checksum", GalleryRecords.Checksum(id, stored)),
                        ("$source", row[4] is byte[] source ? to.SealSource(id, person, records.OpenSource(id, person, source)) : null),
                        ("$photo", row[5] is byte[] photo ? to.SealPhoto(id, person, records.OpenPhoto(id, person, photo)) : null));
                });
                Each(connection, "SELECT c.template, t.person, c.image FROM crop c JOIN template t ON t.id = c.template WHERE c.template > $last ORDER BY c.template LIMIT $page", row =>
                {
                    byte[] crop = to.SealCrop((long)row[0], (long)row[1], records.OpenCrop((long)row[0], (long)row[1], (byte[])row[2]));
                    GalleryDatabase.Run(
                        connection,
                        "UPDATE crop SET image = $image, checksum = $checksum WHERE template = $id",
                        ("$id", row[0]),
                        ("$image", crop),
                        ("$checksum", GalleryRecords.Checksum((long)row[0], crop)));
                });

                // An unfinished move to another model begins again.
                GalleryDatabase.Run(connection, "DELETE FROM pending; DELETE FROM meta WHERE key = 'reembed';");
                GalleryDatabase.SetMeta(connection, "encrypted", key is null ? 0L : 1L);
                GalleryDatabase.SetMeta(connection, "key_check", next.Seal("key", 0, 0, "uniface"u8));
                GalleryDatabase.SetMeta(connection, GenerationKey, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
                GalleryDatabase.SetMeta(connection, RekeyedNote, 1L);
                return 0;

                void Each(SqliteConnection from, string sql, Action<object[]> change)
                {
                    List<object[]> page;
                    long last = 0;
                    do
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        page = [];
                        using (SqliteCommand command = GalleryDatabase.Prepare(from, sql, ("$last", last), ("$page", RekeyPage)))
                        {
                            using SqliteDataReader reader = command.ExecuteReader();
                            while (reader.Read())
                            {
                                object[] row = new object[reader.FieldCount];
                                reader.GetValues(row);
                                page.Add(row);
                            }
                        }

                        page.ForEach(change);
                        last = page.Count > 0 ? (long)page[^1][0] : last;
                    }
                    while (page.Count == RekeyPage);
                }
            },
            cancellationToken).ConfigureAwait(false);
        database.Step("rekeyed");
        await using SqliteGallery rekeyed = await OpenAsync(Path, key, cancellationToken).ConfigureAwait(false);
        rekeyed.Step = Step;
        await rekeyed.EraseAsync(cancellationToken).ConfigureAwait(false);
        await rekeyed.StoreIndexAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }
}
