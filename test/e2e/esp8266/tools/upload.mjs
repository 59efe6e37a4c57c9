// The platform's uploader: says what it was asked to send. Tests that upload replace the pattern that calls it.
console.log(`would upload: ${process.argv.slice(2).join(' ')}`);
