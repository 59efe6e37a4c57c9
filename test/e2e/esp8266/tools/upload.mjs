// Stand-in for the platform's uploader that prints what it would upload. Tests that upload replace the pattern that calls it.
console.log(`would upload: ${process.argv.slice(2).join(' ')}`);
