// Sends the form that carries an answer back to an application.
document.querySelector("form[data-relay]").submit();
